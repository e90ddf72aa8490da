/** What is said of how a turn, or an agent's process, ended. */
export const ENDS = {
  exited: 'The agent exited with code {exit}.',
  'ended-by': 'The agent was ended by {signal}.',
  'ended-by.stranger': 'The agent was ended by {signal}. Treeline did not send this signal.',
  'ended-before-prompt': 'The agent exited before it was given the prompt.',
  'never-started': 'The agent was stopped before it started.',
  'not-started': 'The agent could not be started.',
  'end-unknown': 'How the agent ended is unknown.',
  'end-unknown.turn': 'How this turn ended is unknown.',
  'end-unreported': 'The next turn began before the agent reported the end of this one.',
  'no-result': 'The agent ended without reporting a result.',
  completed: 'Completed.',
  failed: 'Failed.',
  interrupted: 'Interrupted.',
  'stopped-after': 'Stopped after {after:duration}.',
  'stopped-after.signal': 'Stopped by {signal} after {after:duration}.',

  // The row at a turn's end
  'end.exited': 'Exited with code {exit} after {lasted:duration}.',
  'end.signal': 'Ended by {signal} after {lasted:duration}. Treeline did not send this signal.',
  'end.stopped': 'Exited {wait:duration} after the stop request.',
  'end.stopped.exited':
    'Stopped ({signals:list}): exited {wait:duration} later with code {exit}, after {lasted:duration} in all.',
  'end.stopped.signal':
    'Stopped ({signals:list}): ended by {signal} {wait:duration} later, after {lasted:duration} in all.',
  'end.survivors': 'Processes left running were stopped: {processes:list}.',
  'end.missing': 'Expected but missing: {paths:list}.',

  // Ends that nobody saw
  lost: 'The background process ended unexpectedly, so how the agent ended is unknown.',
  'lost.starting': 'The background process ended unexpectedly before the agent started.',
  'lost.stopping': 'The background process ended before the stop was complete, so how the agent ended is unknown.',
  'lost.unrecorded': '{problem} Its record could not be written: {reason}',
} as const;
