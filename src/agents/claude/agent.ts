import { randomUUID } from 'node:crypto';
import type { AgentEntry, Launch } from '../adapter.ts';
import { givesOption } from '../program.ts';
import { checkPrompt } from '../prompt.ts';
import { claudeReader } from './output.ts';

/** "piped stdin input exceeds 10MB" (2.1.329), which counts UTF-16 units. */
const MOST = 10 * 1024 * 1024;

/**
 * Claude Code in its headless mode, one process per turn (2.1.197 to 2.1.329). The prompt comes by stdin: it may be of
 * any size up to 10 MB, and no list of processes shows it.
 */
export const claude: AgentEntry = {
  id: 'claude',
  name: 'Claude Code',
  command: 'claude',
  version: ['--version'],
  install: 'npm install -g @anthropic-ai/claude-code',
  oldestTried: '2.1.197',
  places: ['~/.claude/local', '~/.claude/local/node_modules/.bin'],
  readers: [claudeReader],
  can: ['resume', 'own-id', 'usage', 'cost'],
  turns(command, args) {
    const launch = (prompt: string, conversation: readonly string[]): Launch => {
      checkPrompt('Claude Code', prompt, MOST);
      // Ours follow the user's: of two options of a kind the last counts, and one that takes a list of values ends there.
      return { argv: [command, '-p', ...args, ...HEADLESS, ...permissions(args), ...conversation], stdin: 'prompt' };
    };
    return {
      newAgentSession: () => randomUUID(),
      start: ({ prompt, agentSession }) =>
        launch(prompt, agentSession === undefined ? [] : ['--session-id', agentSession]),
      resume: ({ prompt, agentSession }) => launch(prompt, ['--resume', agentSession]),
    };
  },
};

/** `stream-json` wants `--verbose` beside `-p`. */
const HEADLESS = ['--output-format', 'stream-json', '--verbose'];

/** Nobody can be asked in this mode: edits inside the worktree are allowed, unless the user's own arguments say else. */
function permissions(args: readonly string[]): readonly string[] {
  const own = givesOption(args, ['--permission-mode', '--dangerously-skip-permissions']);
  return own ? [] : ['--permission-mode', 'acceptEdits'];
}
