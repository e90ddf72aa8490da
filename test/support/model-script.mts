/** What the stand-in model does, said once for every API: a turn is a list of steps, one for each request of the agent. */

/** A tool that the model asks the agent to use. */
export type ToolUse = { write: string; content: string } | { run: string };

/** The answer to one request. */
export type Step =
  | { say: string; use?: ToolUse[] }
  /** Begins to answer, and never ends. */
  | { stall: string }
  /** The request fails with this HTTP status. */
  | { status: number };

/** Where the conversation stands, read from a request. */
export interface Conversation {
  /** The newest prompt, without what the agent adds around it. */
  prompt: string;
  /** Number of prompts so far, this one included. */
  turn: number;
  /** Number of the agent's tool answers since that prompt. */
  step: number;
}

/** Builds the steps of a turn; after the last one the model only repeats that one. */
export type Script = (conversation: Conversation) => Step[];

/** A model's last words in a turn: they show that it knew which turn it was, and what it was asked. */
function done({ turn, prompt }: Conversation): Step {
  return { say: `Turn ${turn} is done. The task was: ${prompt.slice(0, 200)}` };
}

/**
 * The scenarios, chosen by a word in square brackets in the prompt: "Do it slowly [slow]", "[error 529] fail". Without
 * one, the model does `work`. So several agents at once can each have their own, and a resumed turn another one.
 */
export const scenarios: Record<string, (conversation: Conversation, argument: string) => Step[]> = {
  /** Writes a file into the worktree, looks at the tree with git, and ends. */
  work: (talk) => [
    {
      say: 'First I write the file.',
      use: [{ write: `notes-${talk.turn}.md`, content: `# Notes of turn ${talk.turn}\n` }],
    },
    { say: 'Now I look at the tree.', use: [{ run: 'git status --short' }] },
    done(talk),
  ],
  /** Runs a command that takes so many seconds (20). */
  slow: (talk, seconds) => [
    { say: 'This takes a while.', use: [{ run: `sleep ${Number(seconds) || 20}` }] },
    done(talk),
  ],
  /** Runs a command that fails with exit code 3. */
  toolfail: (talk) => [{ say: 'This will fail.', use: [{ run: 'echo broken >&2; exit 3' }] }, done(talk)],
  /** Begins to speak and falls silent. */
  stall: () => [{ stall: 'Let me think about' }],
  /** Every request fails with the status (500). */
  error: (_talk, status) => [{ status: Number(status) || 500 }],
  /** Only speaks. */
  text: (talk) => [done(talk)],
};

/** The scenario that the prompt names. Throws when there is none of that name. */
export const byPrompt: Script = (talk) => {
  // The last one: after a failed request, Claude Code sends the earlier prompt again together with the new one.
  const [, name = 'work', argument = ''] = [...talk.prompt.matchAll(/\[(\w+)(?: (\w+))?\]/g)].at(-1) ?? [];
  const scenario = scenarios[name];
  if (scenario === undefined) throw new Error(`There is no scenario "${name}"`);
  return scenario(talk, argument);
};
