import { TreelineError } from '../platform/errors.ts';

/**
 * Refuses a prompt that an agent would refuse only after everything has been made for it.
 * @param most characters that the agent takes.
 * @param length of the prompt, as the agent counts characters.
 */
export function checkPrompt(agent: string, prompt: string, most: number, length = prompt.length): void {
  if (prompt.trim() === '') {
    throw new TreelineError('empty-prompt', `${agent} needs a prompt. Describe what the agent should do.`);
  }
  if (length > most) {
    throw new TreelineError(
      'prompt-too-long',
      `${agent} accepts prompts of at most ${most} characters, but this one has ${length}. ` +
        'Put the long part in a file in the repository, and mention that file in the prompt.',
    );
  }
}
