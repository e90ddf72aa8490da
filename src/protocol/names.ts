/** What a reader can filter by. A row is in one group, and in `problems` too when it is one. */
export const ROW_GROUPS = ['messages', 'thinking', 'tools', 'files', 'problems', 'system'] as const;
export type RowGroup = (typeof ROW_GROUPS)[number];

/** The texts of a row that may be longer than what the row shows. */
export const TEXT_PARTS = ['text', 'input', 'output', 'diff', 'request'] as const;
export type TextPart = (typeof TEXT_PARTS)[number];
