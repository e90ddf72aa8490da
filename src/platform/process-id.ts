/** A process beyond doubt: pids are reused, a pid with its start time is not. */
export interface ProcessId {
  readonly pid: number;
  /**
   * An opaque word for the moment of the start, comparable for equality only, on the same machine: on Linux the boot id
   * and the start time in clock ticks (proc(5), `stat` field 22), elsewhere what the system prints.
   */
  readonly start: string;
}
