/** What Treeline says of what agents print, and of how they are set up. */
export const AGENTS = {
  conversation: 'Conversation {session}',
  'conversation.model': 'Conversation {session} with {model}',
  'other-session': 'The agent was given the session ID {asked} but answers as {given}. The next turn resumes {given}.',
  'other-session.resumed':
    'The agent was asked to resume session {asked} but answers as {given}. The next turn resumes {given}.',
  attempt: '{reason} (attempt {attempt})',
  'attempt.of': '{reason} (attempt {attempt} of {of})',
  'retrying-in': '{reason}, retrying in {wait:duration}',
  'model-silent': 'The model did not respond: {reason}.',
  question: 'The agent asks a question.',
  'waiting-for-answer': 'Waiting for an answer: {what}',
  'waiting-for-permission': 'Waiting for permission: {what}',
  'tokens-untold': 'The previous turn did not report its tokens, so they are counted with those of this turn.',
  'error-unknown': 'Unknown error',
  'warning-unknown': 'Unknown warning',
  compacting: 'Compacting the conversation.',
  compacted: 'The conversation was compacted.',
  'compacted.from': 'The conversation was compacted (it had {tokens} tokens).',
  'compact-failed': 'The conversation could not be compacted: {reason}',
  'hook-failed': 'Hook {hook} failed. {reason}',
  'hook-failed.code': 'Hook {hook} failed with exit code {exit}. {reason}',
  'rate-limit': 'Rate limit: {state}',
  'background-task': 'Background task {state}: {summary}',
  'unknown-format': 'This version of Treeline cannot read output in the format “{format}”. Open the log to see it.',
  'prompt-unreadable': '[The prompt cannot be read: {reason}]',
  truncated: '[Truncated: the text has {bytes} bytes. The first {shown} are shown. The log has all of it.]',

  // Refusals
  'empty-prompt': '{agent} needs a prompt. Describe what the agent should do.',
  'prompt-too-long':
    '{agent} accepts prompts of at most {most} characters, but this one has {count}. Put the long part in a file in the repository, and mention that file in the prompt.',
  'prompt-too-long.argument':
    'The prompt cannot be passed to “{agent}” as an argument, because {reason}. Use {instead} in place of {placeholder} in the setting treeline.customAgents.',
  'argument.nul': 'it contains a NUL character',
  'argument.windows': 'Windows takes {most} characters in a command line, and this one has {count}',
  'argument.macos': 'macOS takes about {most} bytes in all arguments, and these have {count}',
  'argument.linux': 'Linux takes {most} bytes in one argument, and this one has {count}',
  'prompt-in-batch-file':
    '{file} is a batch file, and Windows could take parts of a prompt in its arguments for commands. Use {instead} in place of {placeholder} in the setting treeline.customAgents.',
} as const;
