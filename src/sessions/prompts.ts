import type { Session } from '../store/model.ts';

/** Characters of a prompt that stand in the journal; the whole stands in the turn's prompt.md. */
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
