import { sessionFolder } from '../platform/paths.ts';
import { folderSize } from './disk-use.ts';
import type { Finding } from './finding.ts';
import type { HealthContext } from './health-context.ts';

/** Sessions that the finding names, the largest first. */
const NAMED = 10;

/** How much disk the sessions use: their worktrees, their logs, and what lies in the trash. */
export async function diskUse({ context }: HealthContext, signal: AbortSignal): Promise<readonly Finding[]> {
  const { folder, store } = context;
  const used: { readonly name: string; readonly bytes: number; readonly parts: string }[] = [];
  let complete = true;
  for (const session of store.list()) {
    const { archive } = session;
    const parts = {
      logs: sessionFolder(folder, session.id),
      ...(archive === undefined ? { worktree: session.worktree } : {}),
      ...(archive === undefined || archive.purgedAt !== undefined ? {} : { trash: archive.files }),
    };
    if (session.foreign === true && archive === undefined) continue;
    const words: string[] = [];
    let bytes = 0;
    for (const [part, place] of Object.entries(parts)) {
      const size = await folderSize(place, { signal });
      complete &&= size.complete;
      bytes += size.bytes;
      if (size.bytes > 0) words.push(`${part} ${megabytes(size.bytes)}`);
    }
    used.push({ name: session.name, bytes, parts: words.join(', ') });
  }
  if (used.length === 0) return [];
  const all = used.reduce((sum, { bytes }) => sum + bytes, 0);
  const largest = used.toSorted((a, b) => b.bytes - a.bytes).slice(0, NAMED);
  return [
    {
      kind: 'disk',
      severity: 'info',
      sentence: `${used.length} sessions use ${complete ? '' : 'at least '}${megabytes(all)} of disk space. Archive finished sessions, or empty the trash.`,
      evidence: largest.map(({ name, bytes, parts }) => `${megabytes(bytes)}: ${name} (${parts || 'nothing'})`),
    },
  ];
}

/** `3.4 MB`; in thousands, as file managers count. */
export function megabytes(bytes: number): string {
  const [value, unit] = bytes >= 1e9 ? [bytes / 1e9, 'GB'] : [bytes / 1e6, 'MB'];
  return `${value.toFixed(value < 10 ? 1 : 0)} ${unit}`;
}
