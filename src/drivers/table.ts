import type { Driver } from './driver.ts';
import { lines } from './lines.ts';

const DRIVERS: readonly Driver[] = [lines];

/** The driver of a protocol; undefined where this version of Treeline has none, and the agent can only be watched. */
export function driverFor(protocol: string): Driver | undefined {
  return DRIVERS.find((driver) => driver.protocol === protocol);
}
