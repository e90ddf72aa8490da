/** The timeline worker where files cannot be watched. */
import { deafen, type Deafness } from './deaf-watch.ts';

deafen((process.env['TREELINE_TEST_DEAF'] ?? 'silent') as Deafness);
await import('../../src/timeline/worker.ts');
