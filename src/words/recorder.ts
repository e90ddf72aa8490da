/** What the process that records an agent notes, and what it answers. */
export const RECORDER = {
  'disk-full': "Could not write the agent's output ({reason}). The agent is paused until there is space.",
  'disk-broken': "Could not write the agent's output ({reason}). The agent is paused until the disk works again.",
  'disk-works': 'The output is being written again. Nothing was lost.',
  'agent-abandoned': 'The agent was not started, because Treeline closed before it could start it.',
  'agent-abandoned.late': 'The agent was not started, because Treeline did not ask for it within two minutes.',
  'message-undelivered': 'A message was not delivered: {reason}',
  'signal-failed': 'The agent could not be signalled: {reason}',
  'signal-sent': 'Sent {signal} to the agent and its process group.',
  'output-held': 'An unknown process keeps the agent’s output open. Treeline stopped reading it.',
  'logs-deleted': 'The folder with the agent’s logs was deleted while the agent ran. Its earlier output is lost.',
  'end-unrecorded': 'How the agent ended could not be recorded: {reason}',
  unreachable: 'Treeline cannot reach this agent right now, and keeps trying: {reason}',
  'socket-taken': 'another program has taken its socket.',
  'nobody-acts':
    'Treeline could not start its background process for this repository: {reason} Open the repository in VS Code.',
  'left-joined':
    'Left running because a terminal outside this session is connected to it: {pid} ({command}). Run "kill {pid}" to end it.',
  'stopping-survivors': 'Stopping processes left running: {processes:list}.',
  'cannot-end': 'Could not be ended: {pids:list}.',
  'recorder-lost': 'The background process ended unexpectedly. Treeline is closing the turn instead.',
  'recorder-lost.stopping':
    'The background process ended before the stop was complete. Treeline is closing the turn instead.',
  'agent-orphaned': 'The agent (process {pid}) was still running without its background process and is being stopped.',

  // Refusals
  elsewhere: 'The agent was started on {host}. Stop it there.',
  'elsewhere.open': 'The agent was started on {host}. Open the repository there.',
  'keeper-alive': 'The background process of this turn is still running. Stop the session instead.',
  'keeper-start': 'The background process could not be started ({reason}). Reload the window, then try again.',
  'keeper-gone.ended': 'The background process of this turn has ended.',
  'keeper-gone.silent': 'The background process of this turn is not responding.',
  'keeper-gone.disconnected': 'The background process of this turn has ended or disconnected.',
  'keeper-gone.said': '{problem} {reason}',
  'socket-folder': 'The folder {folder} belongs to another user.',
  'socket-folder.none':
    'Treeline has no safe folder for its sockets. Remove {folder} if it is not yours, or set TMPDIR to a folder with a short path.',
  'too-long.settings': 'The settings are longer than 1 MiB. Shorten them.',
  ended: 'The agent has ended.',
  'ended.before': 'This agent has already ended.',
  'not-started.yet': 'The agent has not been started yet.',
  'disk.message': 'The message was not sent because the disk is full. Free some space, then send it again.',
  'no-stdin': 'This agent does not accept messages while it works. Send the message when the turn has ended.',
  'stdin-full': 'The agent has not read its earlier messages yet. Wait for it, or stop it.',
  'stdin-closed': 'The agent no longer reads messages. Resume it when it has ended.',

  // Why the system does not start an agent
  'no-worktree': 'The agent was not started, because {worktree} is not a folder.',
  'no-prompt': 'The agent was not started, because its prompt could not be read ({reason}).',
  'not-found':
    'The agent was not started, because “{program}” (or the interpreter named in its first line) was not found. Install it, or correct its path.',
  'not-executable': 'The agent was not started, because “{program}” is not executable. Check its permissions.',
  'too-long':
    'The agent was not started, because its arguments are longer than the system allows. Shorten the prompt, or put it into a file.',
  'start-failed.system': 'The agent was not started, because the system refused “{program}”: {reason}',

  // The session history
  'journal-read': 'The session history {file} could not be read ({reason}). Check the disk and its permissions.',
  'journal-write':
    'The session history {file} could not be written ({reason}). Check disk space and permissions, then try again.',
  'journal-write.replaced': 'The session history {file} was replaced while it was being written. Try again.',
  'fact-too-large': 'A record of this session is larger than 1 MiB and cannot be saved. Shorten its text.',
} as const;
