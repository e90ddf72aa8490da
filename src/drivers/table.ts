import type { Driver } from './driver.ts';
import { lines } from './lines.ts';

const DRIVERS: readonly Driver[] = [lines];

/** The driver of a protocol, by default of plain lines; undefined where this version of Treeline has none, and the agent can only be watched. */
export function driverFor(protocol = lines.protocol): Driver | undefined {
  return DRIVERS.find((driver) => driver.protocol === protocol);
}
