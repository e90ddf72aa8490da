/** What is said of sessions, their turns and their worktrees' moves. */
export const SESSIONS = {
  'session-created': 'The session was created without a turn. Resume it to continue.',
  'turn-requested': 'Turn {turn} was requested.',
  'creating-worktree': 'Creating the worktree.',
  'worktree-ready': 'The worktree is ready.',
  'starting-agent': 'Starting the agent.',
  'agent-running': 'The agent is running (process {pid}).',
  'prompt-given': 'The agent has the prompt.',
  'stop-requested': 'Stop requested.',
  'turn-finished': 'The agent finished the turn.',
  'moving-to-trash': 'The worktree is being moved to the trash.',
  'session-archived': 'The session is archived. Its files are in the trash.',
  'files-deleted': 'The files were deleted from the trash. The branch is kept.',
  'link-deleted': 'Only a link was deleted. The files in {target} are still there.',

  // Why a turn does not start
  cancelled: 'Cancelled before it started.',
  'cancelled.starting': 'Starting “{name}” was cancelled while {step}. {after:sentences}',
  'start-failed': '“{name}” could not be started: {step} failed. {reason} {after:sentences}',
  'start-failed.never': 'The agent never started.',
  undone: 'Undone: {steps:list}.',
  'not-undone': 'Not undone: {steps:list}.',
  'step.prompt': 'reading the prompt',
  'step.waiting': 'waiting for other worktrees',
  'step.recorder': 'starting the background process',
  'step.worktree': 'creating the worktree',
  'step.agent': 'starting the agent',
  'made.recorder': 'the background process',
  'made.worktree': 'the worktree {worktree} and its branch {branch}',
  'made.agent': 'the agent',
  'made.left': '{what} ({reason})',
  replaced: 'Another window has taken over the agents of this repository.',

  // Why a message does not go to the agent
  'message-too-long': 'The message is longer than 1 MiB. Put it in a file, and send the path of the file.',
  'not-running': '“{name}” has ended. Resume it with your message instead.',
  'no-turn': 'The agent is not working on anything. Resume the session with your message instead.',
  'turn-under-way': 'The agent is still working on the previous prompt. Send your message when it has finished.',
  'turn-over': 'The agent has finished that turn. Resume the session with your message instead.',
  'one-turn': 'This agent takes one prompt each time it runs. Stop the session, then resume it.',
  'reserved-text': 'The message contains a line that the agent would take for a command. Change that line.',
  'unknown-request': 'The agent is no longer waiting for this answer.',
  'already-answered': 'This was already answered.',
  'unknown-choice': 'The agent does not offer this choice.',
  'cannot-interrupt': 'This agent cannot be interrupted. Stop the session instead.',
  'keeper-gone.lost': 'The connection to the agent is lost. Try again in a moment.',

  // Why a turn is not asked for
  archived: '“{name}” is archived. Restore it, then resume it.',
  'turn-runs':
    '“{name}” is running, perhaps started from another window. Stop it or wait until it ends, then resume it.',
  'turn-runs.archive': '“{name}” is running. Stop it or wait until it ends, then archive the session.',
  'turn-runs.move': '“{name}” is running. Stop it or wait until it ends, then try again.',
  'agent-missing': '{agent} cannot be started: {hint}',
  'no-agent-session': '{agent} never reported a session ID for “{name}”, so it cannot be resumed. Start it fresh.',
  'empty-prompt.any': 'The prompt is empty. Describe what the agent should do.',
  'prompt-write':
    'The prompt could not be stored in {file} ({reason}). Free some space or check the permissions, then try again.',
  'no-name': 'A session needs a name. Enter at least one character.',
  'stop-unrecorded': 'The agent of “{name}” is being stopped; its status will be updated later. {reason}',

  // Who acts, and who does not
  'newer-version':
    'A newer version of Treeline has worked on this repository. Update Treeline in this window, then try again.',
  'elsewhere.silent':
    'Agents of this repository are run by {host}, which has not answered yet. Open the repository in Treeline there to have this done.',
  'not-ready': 'The sessions of this repository are still loading. Try again in a moment.',
  'not-ready.closed': 'The sessions of this repository are closed. Open its folder again.',
  'not-closed': 'The turn could not be closed. See the log for the reason.',
  'not-moved': 'The move could not be finished yet. See the log for the reason.',

  // Why a worktree does not move
  'no-worktree.here': '{worktree} is not a worktree of {repository}. Refresh the view.',
  'worktree-in-use.open': 'The worktree of “{name}” is open in a window. Archive it from a window on another folder.',
  'archive-busy': '“{name}” is being changed right now. Try again in a moment.',
  'worktree-busy.processes':
    'Processes are using the worktree of “{name}”: {processes:list}. Stop them, then try again.',
  'process.unnamed': 'a process ({pid})',
  'no-session': 'The session {session} no longer exists. Refresh the view.',
} as const;
