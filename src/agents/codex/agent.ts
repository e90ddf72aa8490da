import type { AgentEntry, Launch } from '../adapter.ts';
import { givesOption } from '../program.ts';
import { checkPrompt } from '../prompt.ts';
import { codexReader } from './output.ts';

/** "Input exceeds the maximum length of 1048576 characters" (0.169.0), counted in code points. */
const MOST = 1_048_576;

/**
 * Codex in its headless mode, one process per turn (0.169.0). The prompt comes by stdin, which the argument `-` asks for:
 * no list of processes shows it. Options stand before `resume`: that subcommand takes no `--sandbox` of its own.
 */
export const codex: AgentEntry = {
  id: 'codex',
  name: 'Codex',
  command: 'codex',
  version: ['--version'],
  install: 'npm install -g @openai/codex',
  oldestTried: '0.169.0',
  places: [],
  readers: [codexReader],
  can: ['resume', 'usage'],
  turns(command, args) {
    const launch = (prompt: string, conversation: readonly string[]): Launch => {
      checkPrompt('Codex', prompt, MOST, prompt.length > MOST ? Array.from(prompt).length : prompt.length);
      // Ours follow the user's, so that one that takes a list of values ends there.
      return { argv: [command, 'exec', ...args, '--json', ...sandbox(args), ...conversation, '-'], stdin: 'prompt' };
    };
    return {
      start: ({ prompt }) => launch(prompt, []),
      // The form of the id was checked: for anything but a UUID, Codex would silently begin a new thread.
      resume: ({ prompt, agentSession }) => launch(prompt, ['resume', agentSession]),
    };
  },
};

/** Codex alone would only read. It refuses two options of this kind, so that the user's own one takes the place of ours. */
function sandbox(args: readonly string[]): readonly string[] {
  const own = givesOption(args, [
    '-s',
    '--sandbox',
    '--approve-for-me',
    '--full-auto',
    '--yolo',
    '--dangerously-bypass-approvals-and-sandbox',
  ]);
  return own ? [] : ['--sandbox', 'workspace-write'];
}
