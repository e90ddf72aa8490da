const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether `id` is a UUID of any version: the form of Claude Code's session ids and of Codex' thread ids. */
export function isUuid(id: string): boolean {
  return UUID.test(id);
}
