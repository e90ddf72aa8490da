import { TreelineError } from '../platform/errors.ts';
import { say } from '../words/saying.ts';

/**
 * Refuses a prompt that an agent would refuse only after everything has been made for it.
 * @param most characters that the agent takes.
 * @param length of the prompt, as the agent counts characters.
 */
export function checkPrompt(agent: string, prompt: string, most: number, length = prompt.length): void {
  if (prompt.trim() === '') {
    throw new TreelineError(say('empty-prompt', { agent }));
  }
  if (length > most) {
    throw new TreelineError(say('prompt-too-long', { agent, most, count: length }));
  }
}
