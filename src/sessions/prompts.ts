import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { writeAtomic } from '../platform/atomic-file.ts';
import { TreelineError, reasonOf } from '../platform/errors.ts';
import { privateFolder, textFile } from '../platform/paths.ts';
import type { Session } from '../store/model.ts';
import { say } from '../words/saying.ts';

/** How many characters of a prompt the journal holds. The whole prompt is in a file of its own (`textFile`). */
const EXCERPT = 200;

/** The start of a prompt for the journal, never cut inside a character. */
export function promptExcerpt(prompt: string): string {
  return prompt.slice(0, EXCERPT).replace(/[\uD800-\uDBFF]$/, '');
}

/**
 * The prompt of a fresh start: an agent that does not remember the conversation learns what it was asked before, and that
 * its own earlier work stands in the worktree.
 */
export function freshStartPrompt(session: Session, earlier: readonly string[], prompt: string): string {
  const asked = earlier.map((text, index) => `${index + 1}. ${text.trim().replaceAll('\n', '\n   ')}`);
  return [
    `You take over a task in this git worktree (branch ${session.branch}). The conversation so far is not available.`,
    'These requests were made before, oldest first; what was done about them stands in the files and in the git log:',
    '',
    ...asked,
    '',
    'The request now:',
    '',
    prompt,
  ].join('\n');
}

/** The prompt, if it says anything. */
export function checkedPrompt(prompt: string): string {
  if (prompt.trim() === '') {
    throw new TreelineError('invalid', say('empty-prompt.any'));
  }
  return prompt;
}

/**
 * Stores the whole text of a prompt or message. This is done before the fact that names it is written, so that every reader finds it.
 * @param folder the repository's store folder.
 */
export async function storeText(folder: string, id: string, key: string, text: string): Promise<void> {
  const file = textFile(folder, id, key);
  try {
    privateFolder(path.dirname(file));
    // No fsync, which a disk busy with a checkout answers late: the journal that asks for the turn has none here either.
    await writeAtomic(file, text, { sync: false });
  } catch (cause) {
    throw new TreelineError(say('prompt-write', { file, reason: reasonOf(cause) }), { cause });
  }
}

/** The prompts that an agent has seen: not those of turns that never ran, nor that found the conversation unknown. */
export async function earlierPrompts(folder: string, session: Session): Promise<string[]> {
  const seen = session.turns.filter((turn) => turn.begunAt !== undefined && turn.judgement?.unknownSession !== true);
  return Promise.all(
    seen.map((turn) => readFile(textFile(folder, session.id, turn.text), 'utf8').catch(() => turn.prompt)),
  );
}
