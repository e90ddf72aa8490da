import * as vscode from 'vscode';
import type { PromptDocuments, PromptUse } from './prompt-documents.ts';
import { ask } from './quick-input.ts';
import type { Step } from './quick-input.ts';

/**
 * Asks for a prompt. An input box takes one line; its button opens a document for more, and then `use` is what happens with it.
 * @returns the line; undefined when the user cancelled, or writes on in the document.
 */
export async function askPrompt(
  documents: PromptDocuments,
  step: Step,
  use: PromptUse,
  value = '',
): Promise<string | undefined> {
  const answer = await ask(step, {
    prompt: vscode.l10n.t('What should the agent do?'),
    placeholder: vscode.l10n.t('Describe the task, or use the button above to write a longer prompt in an editor'),
    value,
    button: { icon: 'edit', tooltip: vscode.l10n.t('Write in Editor') },
    check: (text) =>
      text.trim() === '' ? vscode.l10n.t('The prompt is empty. Describe what the agent should do.') : undefined,
  });
  if (answer?.kind === 'button') {
    await documents.open(answer.text, use);
    return undefined;
  }
  return answer?.text;
}
