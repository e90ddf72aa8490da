/**
 * How every fact begins. Inside of a JSON text the quotes would be escaped, so that in a damaged line this is where a
 * fact was begun, and never a word of a prompt.
 */
const FACT_START = '{"v":';

/** A run of bytes, the second not included. */
export type Range = readonly [from: number, to: number];

/**
 * Finds the whole facts in a damaged line: behind a torn one (two writers, the first of which died), before rubbish, or
 * between NULs (blocks that a power loss left empty). Linear in the line's length.
 *
 * @param take is offered each run of bytes that could be a fact, in order, and says whether it was one.
 * @returns the runs that are no facts, in order; white space between is nothing.
 */
export function salvage(line: Buffer, take: (from: number, to: number) => boolean): Range[] {
  // One character is one byte.
  const text = line.toString('latin1');
  const broken: Range[] = [];
  const leave = (from: number, to: number): void => {
    if (/[^ \t\r]/.test(text.slice(from, to))) broken.push([from, to]);
  };
  let from = 0;
  while (from < text.length) {
    const start = text.indexOf(FACT_START, from);
    leave(from, start === -1 ? text.length : start);
    if (start === -1) break;
    const next = text.indexOf(FACT_START, start + FACT_START.length);
    const limit = next === -1 ? text.length : next;
    const end = endOfObject(text, start, limit);
    if (end !== undefined && take(start, end)) leave(end, limit);
    else leave(start, limit);
    from = limit;
  }
  return broken;
}

/** Behind the brace that closes the object at `start`; undefined where it is not closed before `limit`. */
function endOfObject(text: string, start: number, limit: number): number | undefined {
  let depth = 0;
  let inText = false;
  for (let i = start; i < limit; i++) {
    const char = text[i];
    if (inText) {
      if (char === '\\') i++;
      else if (char === '"') inText = false;
    } else if (char === '"') inText = true;
    else if (char === '{') depth++;
    else if (char === '}' && --depth === 0) return i + 1;
  }
  return undefined;
}
