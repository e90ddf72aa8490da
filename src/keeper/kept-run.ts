import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { reasonOf, sayingOf, TreelineError } from '../platform/errors.ts';
import { say, type Saying } from '../words/saying.ts';
import { privateFolder } from '../platform/paths.ts';
import { processClock } from '../platform/process-table.ts';
import { descendants, signalGroup } from '../platform/process-tree.ts';
import type { Family } from '../platform/process-tree.ts';
import type { ProcessId } from '../platform/process-id.ts';
import type { SessionFactBody } from '../store/facts.ts';
import type { ExitRecord, StopStep } from '../store/model.ts';
import type { Journal } from '../store/journal.ts';
import { startAgent } from './agent-process.ts';
import type { AgentProcess } from './agent-process.ts';
import { writeExit } from './exit-file.ts';
import { lookFor } from './expected.ts';
import { untilWritten } from './persist.ts';
import type { Additions, KeeperSpec, Message } from './protocol.ts';
import { Output } from './output.ts';
import { Recorder } from './recorder.ts';
import { runMarker } from './spec.ts';
import { sweep } from './sweep.ts';

/** How long a pipe may stay open, after nobody who could be found holds it any longer, before it is left: ms. */
const DRAIN = 300;

/** What the two pipes can have held when the agent ended is less than this: bytes. */
const PIPES_LIMIT = 2 * 1024 * 1024;

/** How long a message may wait for a busy agent to read on before the sender is told that it was handed over: ms. */
const HANDED_OVER = 1000;

/** One run, from the start of its agent to the last word about it. */
export class KeptRun {
  readonly #spec: KeeperSpec;
  readonly #folder: string;
  readonly #journal: Journal;
  readonly #recorder: Recorder;
  readonly #over = Promise.withResolvers<ExitRecord>();
  #starting: Promise<AgentProcess> | undefined;
  #startedAt: number | null = null;
  /** What was found to belong to the run so far: found again when its parents are gone. */
  #known: readonly ProcessId[] = [];
  #stop: { readonly requestedAt: number; readonly steps: StopStep[] } | undefined;
  #ending = false;
  #facts: Promise<void> = Promise.resolve();
  /** The keys of messages that were handed to the agent, or are on their way. */
  readonly #sent = new Map<string, Promise<unknown>>();

  constructor(spec: KeeperSpec, folder: string, journal: Journal, recorder: Recorder) {
    this.#spec = spec;
    this.#folder = folder;
    this.#journal = journal;
    this.#recorder = recorder;
  }

  /** Resolves when no process of the run is left and everything is written; rejects when it cannot be. */
  get over(): Promise<ExitRecord> {
    return this.#over.promise;
  }

  /** Gives the run up, as long as nobody has asked for the agent or for its end: true when it will never start. */
  abandon(why: Saying): boolean {
    if (this.#starting !== undefined || this.#ending) return false;
    this.#ending = true;
    this.#recorder.note(why, 'warning');
    return true;
  }

  /** Starts the agent, once. Throws TreelineError when it cannot be started; the run is over then. */
  async start(additions: Additions = {}): Promise<{ pid: number }> {
    if (this.#ending && this.#starting === undefined) throw ended();
    this.#starting ??= this.#launch(additions);
    const { id } = await this.#starting;
    return { pid: id.pid };
  }

  /**
   * Sends a message to the agent's stdin; it is in stdin.log before the agent can see it. A key that was delivered, or is being
   * delivered, is not sent again. Resolves when the agent's pipe took it, or after 1 s while the agent is busy elsewhere.
   */
  async send(message: Message): Promise<{ again?: true }> {
    if (this.#starting === undefined) throw new TreelineError(say('not-started.yet'));
    const agent = await this.#starting;
    const before = this.#sent.get(message.key);
    if (before !== undefined) {
      await before;
      return { again: true };
    }
    if (this.#ending) throw ended();
    if (this.#recorder.blocked) {
      throw new TreelineError(say('disk.message'));
    }
    await this.#deliver(agent, message);
    return {};
  }

  #deliver(agent: AgentProcess, message: Message): Promise<unknown> {
    const { key, text } = message;
    const taken = agent.send(text, () => {
      this.#recorder.sent(message);
      return this.#recorder.ready;
    });
    taken.catch((error: unknown) => {
      this.#sent.delete(key);
      this.#recorder.note(say('message-undelivered', { reason: reasonOf(error) }), 'warning', { undelivered: key });
    });
    const handedOver = Promise.race([taken, delay(HANDED_OVER, undefined, { ref: false })]);
    this.#sent.set(key, handedOver);
    return handedOver;
  }

  /** Ends the agent and its descendants. Resolves as `over` does; asking again changes nothing. */
  async stop(): Promise<ExitRecord> {
    if (this.#stop === undefined && !this.#ending) {
      this.#stop = { requestedAt: Date.now(), steps: [] };
      this.#recorder.note(say('stop-requested'));
      if (this.#starting === undefined) {
        this.#ending = true;
        this.#close(this.#exit({ code: null, signal: null, endedAt: Date.now(), survivors: [], expected: [] }));
      } else {
        // An agent that cannot be started has ended the run already.
        const agent = this.#starting.catch(() => undefined);
        void agent.then((one) => one && this.#escalate(one));
      }
    }
    return this.over;
  }

  async #launch(additions: Additions): Promise<AgentProcess> {
    let agent: AgentProcess;
    try {
      agent = await startAgent(this.#spec, additions);
    } catch (error) {
      this.#ending = true;
      const problem = sayingOf(error);
      this.#recorder.note(problem, 'error');
      const expected = await lookFor(this.#spec.worktree, this.#spec.expects);
      this.#close(this.#exit({ code: null, signal: null, endedAt: Date.now(), survivors: [], expected, problem }));
      throw error;
    }
    this.#startedAt = Date.now();
    this.#known = [agent.id];
    const output = new Output(agent.stdout, agent.stderr, this.#recorder);
    const reads = this.#spec.stdin === 'lines' ? { reads: this.#spec.stdin } : {};
    this.#fact({ type: 'agent.started', run: this.#spec.run, agent: agent.id, ...reads });
    this.#recorder.note(say('agent-running', { pid: agent.id.pid }));
    if (agent.first !== undefined) {
      const { key, turn } = this.#spec;
      // Whether it reads its prompt is the agent's business; a note tells if it cannot.
      this.#deliver(agent, { key, text: agent.first, turn }).catch(() => undefined);
    }
    agent.exited
      .then(({ code, signal }) => this.#end(agent, output, code, signal))
      .catch((error: unknown) => this.#over.reject(error));
    return agent;
  }

  async #escalate(agent: AgentProcess): Promise<void> {
    try {
      await this.#signalHarder(agent);
    } catch (error) {
      this.#recorder.note(say('signal-failed', { reason: reasonOf(error) }), 'error');
    }
  }

  /** Signals the agent's group, each time harder, until the agent is gone. */
  async #signalHarder(agent: AgentProcess): Promise<void> {
    const { grace } = this.#spec;
    // Windows has no signal that a console program could hear: what taskkill does without /F, then with it. Not run here.
    const interrupt = process.platform === 'win32' ? [] : [['SIGINT', grace.interrupt] as const];
    const gone = (): boolean => this.#ending;
    for (const [signal, wait] of [...interrupt, ['SIGTERM', grace.terminate], ['SIGKILL', 0]] as const) {
      // While the agent lives, all that it started can be seen.
      this.#known = [agent.id, ...(await descendants(this.#family()))];
      if (gone()) return;
      this.#stop?.steps.push({ signal, at: Date.now() });
      this.#recorder.note(say('signal-sent', { signal }));
      await signalGroup(agent.id, signal);
      await Promise.race([agent.exited, delay(wait, undefined, { ref: false })]);
      if (gone()) return;
    }
  }

  #family(): Family {
    const marker = runMarker(this.#spec.session, this.#spec.run);
    return { roots: this.#known, marker };
  }

  async #end(agent: AgentProcess, output: Output, code: number | null, signal: string | null): Promise<void> {
    this.#ending = true;
    const endedAt = Date.now();
    const endedGroup = { number: agent.id.pid, at: processClock() };
    this.#recorder.exited(code, signal);
    output.hurry();

    const family = { ...this.#family(), endedGroup };
    const killed = this.#stop?.steps.some((step) => step.signal === 'SIGKILL') ?? false;
    const survivors = await sweep(family, !killed, (said, level) => this.#recorder.note(said, level));
    await this.#drain(output);
    const expected = await lookFor(this.#spec.worktree, this.#spec.expects);
    this.#close(this.#exit({ code, signal, endedAt, survivors, expected }));
  }

  /** Reads what is left in the pipes: to their end, or until they are empty where somebody unknown holds them open. */
  async #drain(output: Output): Promise<void> {
    const closed = output.ended.then(() => true);
    let before: number;
    do {
      await this.#recorder.ready;
      before = output.readSinceEnd;
      if (await Promise.race([closed, delay(DRAIN, false, { ref: false })])) return;
    } while (this.#recorder.blocked || (output.readSinceEnd > before && output.readSinceEnd < PIPES_LIMIT));
    this.#recorder.note(say('output-held'), 'warning');
    output.close();
    await output.ended;
  }

  #exit(end: Omit<ExitRecord, 'startedAt' | 'stop'>): ExitRecord {
    return { startedAt: this.#startedAt, ...end, ...(this.#stop && { stop: this.#stop }) };
  }

  /** The last words: everything on disk, exit.json, the fact. */
  #close(exit: ExitRecord): void {
    const write = async (): Promise<ExitRecord> => {
      await this.#recorder.ready;
      await this.#writeExit(exit);
      this.#fact({ type: 'run.exited', run: this.#spec.run, exit });
      await this.#facts;
      await untilWritten(() => this.#journal.flush());
      return exit;
    };
    write().then(this.#over.resolve, this.#over.reject);
  }

  /** The journal tells of the end too: a folder that somebody deleted or damaged while the agent ran is no obstacle. */
  async #writeExit(exit: ExitRecord): Promise<void> {
    let recorder = this.#recorder;
    try {
      if (!existsSync(this.#folder)) {
        privateFolder(this.#folder);
        recorder = new Recorder(this.#folder);
        recorder.note(say('logs-deleted'), 'error');
      }
      await untilWritten(() => writeExit(this.#folder, exit));
    } catch (error) {
      recorder.note(say('end-unrecorded', { reason: reasonOf(error) }), 'error');
    }
  }

  /** Appends a fact after the earlier ones, again and again while the disk refuses. */
  #fact(body: SessionFactBody): void {
    this.#facts = this.#facts.then(async () => {
      await untilWritten(() => this.#journal.append({ ...body, session: this.#spec.session }));
    });
    // Whoever waits for the run's end hears of it; until then it is not unhandled.
    this.#facts.catch(() => undefined);
  }
}

function ended(): TreelineError {
  return new TreelineError(say('ended'));
}
