/** Whether the dotted version `have` is `want` or newer. */
export function isAtLeast(have: string, want: string): boolean {
  const [a, b] = [have, want].map((version) => version.split('.').map((part) => Number.parseInt(part, 10) || 0));
  for (const [index, part] of (b ?? []).entries()) {
    const other = a?.[index] ?? 0;
    if (other !== part) return other > part;
  }
  return true;
}
