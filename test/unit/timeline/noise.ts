/** Prints 50 lines a second to each of the turn folders given, until it is killed. */
import { Recorder } from '../../../src/keeper/recorder.ts';

const recorders = process.argv.slice(2).map((folder) => new Recorder(folder));
let line = 0;
setInterval(() => {
  line += 1;
  for (const recorder of recorders) recorder.chunk('o', Buffer.from(`noise ${line}\n`));
}, 20);
