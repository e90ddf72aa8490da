/**
 * The keeper: a process of its own, one for each run, that outlives the window. `argv[2]` is the run's folder; see
 * protocol.ts for what stands in it and for what clients may say.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { errorText, TreelineError } from '../platform/errors.ts';
import { say, type Saying } from '../words/saying.ts';
import { selfId } from '../platform/process-id.ts';
import { Journal } from '../store/journal.ts';
import { KeptRun } from './kept-run.ts';
import { RUN_FILES } from './protocol.ts';
import { Recorder } from './recorder.ts';
import { KeeperServer } from './server.ts';
import { readSpecSync } from './spec.ts';
import { StewardStarter } from './steward-starter.ts';

/** How long to wait for a first client: ms. One that is there may take its time to say `start`: a checkout is under way. */
const CLIENT_WITHIN = 120_000;

async function keep(folder: string): Promise<void> {
  // The terminal or the session that the window belongs to may go: none of the keeper's business.
  process.on('SIGHUP', () => undefined);
  process.on('SIGINT', () => undefined);

  const spec = readSpecSync(folder);
  if (existsSync(path.join(folder, RUN_FILES.exit))) {
    throw new TreelineError(say('ended.before'));
  }
  const self = await selfId();
  const journal = new Journal(spec.journal, { role: 'keeper', process: self });
  const recorder: Recorder = new Recorder(folder, (grown) => server.tell(grown));
  const steward = new StewardStarter(spec.steward, (said) => recorder.note(said, 'warning'));
  const run = new KeptRun(spec, folder, journal, recorder);

  const unwanted = (why: Saying): void => {
    if (run.abandon(why)) void server.close().then(() => process.exit(0));
  };
  const server: KeeperServer = new KeeperServer(spec.socket, spec.token, {
    start: async ({ env, later }) => {
      if (later !== undefined) steward.remember(later);
      const started = await run.start(env);
      steward.begin();
      return started;
    },
    remember: (text) => steward.remember(text),
    send: ({ key, text, turn }) => run.send({ key, text, ...(turn !== undefined && { turn }) }),
    stop: () => run.stop(),
    unreachable: (why) => recorder.note(say('unreachable', { reason: why }), 'warning'),
    led: (is) => (steward.connected = is),
    alone: () => unwanted(say('agent-abandoned')),
  });
  await server.listen();
  // Nobody was let in yet: who reaches a keeper finds it in the journal.
  journal.append({ type: 'keeper.started', session: spec.session, run: spec.run, keeper: self, socket: spec.socket });
  const look = (): void => {
    if (!server.attended) unwanted(say('agent-abandoned.late'));
  };
  setTimeout(look, CLIENT_WITHIN).unref();
  // The machine goes down, or somebody ends the keeper politely: the agent must not stay without one.
  process.on('SIGTERM', () => void run.stop());

  const exit = await run.over;
  const succeeded = steward.end();
  // Let those who asked for the stop hear their answer first.
  await new Promise((resolve) => setImmediate(resolve));
  await server.close(exit);
  await succeeded;
}

keep(process.argv[2] ?? '').then(
  () => process.exit(0),
  (error: unknown) => {
    // Goes to keeper.err, or nowhere.
    console.error(errorText(error));
    process.exit(1);
  },
);
