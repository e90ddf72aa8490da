/** A process that does nothing but watch its event loop, and tells about each span of time that it is asked for. */
import { watchLoop, type LoopDelay } from './loop-delay.mts';

let stop: (() => LoopDelay) | undefined;
process.on('message', (word) => {
  if (word === 'start') stop = watchLoop();
  else if (stop !== undefined) process.send?.(stop());
});
process.on('disconnect', () => process.exit(0));
