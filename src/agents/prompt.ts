import { TreelineError } from '../platform/errors.ts';

/**
 * Refuses a prompt that an agent would refuse only after everything has been made for it.
 * @param most characters that the agent takes.
 * @param length of the prompt, as the agent counts characters.
 */
export function checkPrompt(agent: string, prompt: string, most: number, length = prompt.length): void {
  if (prompt.trim() === '') {
    throw new TreelineError('empty-prompt', `${agent} needs a prompt, but it is empty: write what the agent is to do.`);
  }
  if (length > most) {
    throw new TreelineError(
      'prompt-too-long',
      `${agent} takes prompts of at most ${most} characters, but this one has ${length}: ` +
        'put the long part into a file of the repository and name that file in the prompt.',
    );
  }
}
