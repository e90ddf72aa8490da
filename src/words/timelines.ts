/** Why a timeline does not show. */
export const TIMELINES = {
  'timeline-closed': 'This timeline is not open. Open it, then try again.',
  'timeline-slow': 'The timeline is not responding. Open it again, or reload the window.',
  'timeline-crashed': 'The timeline could not be read because its worker crashed. See the log for details.',
  'no-rows': 'The timeline cannot be shown ({reason}). Reload the window, or install Treeline again.',
  'no-row': 'The timeline no longer has row {row}. Open the timeline again.',
} as const;
