/** How long an event loop keeps its work waiting. */
import { quantile } from './figure.mts';

/** How often the loop is asked to come by: ms. */
const TICK = 2;

export interface LoopDelay {
  readonly p99: number;
  readonly max: number;
}

/** Watches this process's event loop until the result is called: by how much timers come later than they were asked for. */
export function watchLoop(): () => LoopDelay {
  const delays: number[] = [];
  let due = performance.now() + TICK;
  let timer: NodeJS.Timeout;
  const tick = (): void => {
    const now = performance.now();
    delays.push(Math.max(0, now - due));
    due = now + TICK;
    timer = setTimeout(tick, TICK);
  };
  timer = setTimeout(tick, TICK);
  return () => {
    clearTimeout(timer);
    // What is late at this very moment counts too.
    delays.push(Math.max(0, performance.now() - due));
    return { p99: quantile(delays, 0.99), max: Math.max(...delays) };
  };
}
