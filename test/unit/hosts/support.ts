import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { isAlive, selfId, type ProcessId } from '../../../src/platform/process-id.ts';
import { Store } from '../../../src/store/store.ts';
import type { Lead, Session } from '../../../src/store/model.ts';
import { until } from '../support.ts';
import { LOG, type Place } from '../sessions/support.ts';

/** Looks at a place's store from outside, as nobody who could act. */
export class Onlooker {
  readonly store: Store;

  private constructor(store: Store) {
    this.store = store;
  }

  /** Whoever still acts when the test is over is ended. */
  static async open(t: TestContext, { storage }: Pick<Place, 'storage'>): Promise<Onlooker> {
    const repos = path.join(storage, 'repos');
    const [name = ''] = readdirSync(repos);
    const store = Store.open(path.join(repos, name), { role: 'command', process: await selfId() }, LOG);
    await store.ready;
    const onlooker = new Onlooker(store);
    t.after(async () => {
      store.refresh();
      const { lead } = onlooker;
      await store.dispose();
      if (lead?.host === 'detached') await end(lead.by);
    });
    return onlooker;
  }

  /** Who leads, and lives. */
  get lead(): Lead | undefined {
    return this.store.leadership.lead;
  }

  /** Resolves when somebody leads of whom `wanted` is true, or nobody does. */
  async leads(wanted: (lead: Lead | undefined) => boolean, timeoutMs = 10_000): Promise<Lead | undefined> {
    await this.#when(() => wanted(this.lead), timeoutMs, 'another leads');
    return this.lead;
  }

  /** Resolves when something is true of all sessions. */
  async all(wanted: (session: Session) => boolean, timeoutMs: number): Promise<readonly Session[]> {
    await this.#when(() => this.store.list().every(wanted), timeoutMs, 'all sessions are as wanted');
    return this.store.list();
  }

  #when(wanted: () => boolean, timeoutMs: number, what: string): Promise<true> {
    const look = (): boolean => {
      this.store.refresh();
      return wanted();
    };
    return until(look, { timeoutMs, what });
  }
}

/** kill -9, and waits until the process is gone. */
export async function end(id: ProcessId): Promise<void> {
  if (await isAlive(id)) process.kill(id.pid, 'SIGKILL');
  await until(async () => !(await isAlive(id)), { what: `process ${id.pid} is gone` });
}
