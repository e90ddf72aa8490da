/** The demo agent's live mode, spoken to by the driver as a steward would: what comes of a wish is sent, and what comes back is read. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { suite, test, type TestContext } from 'node:test';
import type { DriverEvent, DriverLine, Wish } from '../../../src/drivers/driver.ts';
import { lines, type LinesState } from '../../../src/drivers/lines.ts';
import { demoAgents } from '../../demo/setting.mjs';
import { git, tempRepo } from '../support.ts';

const agent = path.resolve(import.meta.dirname, '../../demo/agent.mjs');

class Conversation {
  readonly repo: string;
  readonly events: DriverEvent[] = [];
  readonly output: string[] = [];
  readonly ended: Promise<number | null>;
  readonly #child;
  #state: LinesState = lines.start({});
  #changed = Promise.withResolvers<undefined>();

  constructor(t: TestContext, repo: string, speed: number) {
    this.repo = repo;
    this.#child = spawn(process.execPath, [agent, '--live', '--speed', String(speed)], { cwd: repo });
    t.after(() => this.#child.kill('SIGKILL'));
    this.ended = once(this.#child, 'close').then(([code]) => code as number | null);
    createInterface({ input: this.#child.stdout }).on('line', (text) => {
      this.output.push(text);
      this.#take({ stream: 'out', text, at: Date.now() });
    });
  }

  message(key: string, text: string, turn?: number): void {
    this.#send(lines.message(this.#state, { key, text, ...(turn !== undefined && { turn }) }));
  }

  answer(request: string, choice: string): void {
    this.#send(lines.answer(this.#state, { request, choice }));
  }

  write(choice: string, text: string): void {
    this.#send(lines.answer(this.#state, { request: choice, text }));
  }

  interrupt(): void {
    this.#send(lines.interrupt(this.#state));
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  close(): void {
    this.#child.stdin.end();
  }

  /** The first event of a type that has not been waited for, once it is there; it and those before it are taken away. */
  async next<T extends DriverEvent['type']>(type: T): Promise<Extract<DriverEvent, { type: T }>> {
    for (;;) {
      const at = this.events.findIndex((one) => one.type === type);
      if (at >= 0) return this.events.splice(0, at + 1).at(-1) as Extract<DriverEvent, { type: T }>;
      await this.#changed.promise;
    }
  }

  async printed(words: string): Promise<void> {
    while (!this.output.some((line) => line.includes(words))) await this.#changed.promise;
  }

  #send(wish: Wish): void {
    assert.ok('send' in wish, JSON.stringify(wish));
    for (const { key, text, turn } of wish.send) {
      this.#child.stdin.write(`${text}\n`);
      this.#take({ stream: 'in', text, at: Date.now(), key, ...(turn !== undefined && { turn }) });
    }
  }

  #take(line: DriverLine): void {
    const { state, events } = lines.step(this.#state, line);
    this.#state = state;
    this.events.push(...events);
    this.#changed.resolve(undefined);
    this.#changed = Promise.withResolvers();
  }
}

async function begin(t: TestContext, speed = 200): Promise<Conversation> {
  const conversation = new Conversation(t, await tempRepo(t), speed);
  await conversation.next('ready');
  return conversation;
}

suite('the live demo agent', () => {
  test('serves many turns in one process, and ends with its stdin', async (t) => {
    const talk = await begin(t);
    for (const turn of [1, 2, 3]) {
      talk.message(`m${turn}`, `Do number ${turn}`, turn);
      assert.equal((await talk.next('message-received')).key, `m${turn}`);
      assert.deepEqual(await talk.next('turn-ended'), {
        type: 'turn-ended',
        turn,
        outcome: 'completed',
        summary: `Done: I wrote demo/live-${turn}.md.`,
      });
    }
    talk.close();
    assert.equal(await talk.ended, 0);
    assert.match(readFileSync(path.join(talk.repo, 'demo/live-3.md'), 'utf8'), /Do number 3/);
  });

  test('asks for a permission: allowed it commits, denied it does not', async (t) => {
    const talk = await begin(t);
    talk.message('m1', 'With your permission', 1);
    const first = await talk.next('request-opened');
    assert.deepEqual([first.kind, first.title], ['permission', 'Run git commit']);
    talk.answer(first.id, 'deny');
    assert.match((await talk.next('turn-ended')).summary!, /did not commit/);

    talk.message('m2', 'With your permission, again', 2);
    const second = await talk.next('request-opened');
    assert.notEqual(second.id, first.id);
    talk.answer(second.id, 'allow');
    await talk.next('turn-ended');
    assert.equal(await git(talk.repo, 'log', '-1', '--format=%s'), 'Demo: turn 2');
  });

  test('asks a question: a choice or words of one’s own; a plan; and withdraws what it asked', async (t) => {
    const talk = await begin(t);
    talk.message('m1', 'Make a plan, then a question', 1);
    talk.answer((await talk.next('request-opened')).id, 'approve');
    const question = await talk.next('request-opened');
    assert.equal(question.kind, 'question');
    talk.write(question.id, 'Rather red');
    assert.equal((await talk.next('turn-ended')).outcome, 'completed');
    assert.match(readFileSync(path.join(talk.repo, 'demo/live-1.md'), 'utf8'), /Colour: Rather red/);

    talk.message('m2', 'Ask and withdraw', 2);
    const asked = await talk.next('request-opened');
    const { id, how } = await talk.next('request-closed');
    assert.deepEqual([id, how], [asked.id, 'withdrawn']);
    assert.equal((await talk.next('turn-ended')).outcome, 'completed');
  });

  test('is steered while it works: the message is acknowledged, and changes what it writes', async (t) => {
    const talk = await begin(t, 20);
    talk.message('m1', 'Wait for me', 1);
    await talk.printed('Step 1 of');
    talk.message('s1', 'That is enough; mention the weather');
    await talk.next('message-received');
    assert.equal((await talk.next('message-received')).key, 's1');
    assert.equal((await talk.next('turn-ended')).outcome, 'completed');
    assert.match(readFileSync(path.join(talk.repo, 'demo/live-1.md'), 'utf8'), /mention the weather/);
    assert.ok(!talk.output.some((line) => line.includes('Step 20 of')));
  });

  test('is interrupted, also while it waits for an answer, and goes on with the next turn', async (t) => {
    const talk = await begin(t, 1);
    talk.message('m1', 'Wait for me', 1);
    await talk.printed('Turn 1');
    talk.interrupt();
    assert.equal((await talk.next('turn-ended')).outcome, 'interrupted');
    assert.ok(!existsSync(path.join(talk.repo, 'demo/live-1.md')));
    talk.message('m2', 'A question', 2);
    const { id } = await talk.next('request-opened');
    talk.interrupt();
    assert.deepEqual(await talk.next('request-closed'), { type: 'request-closed', id, how: 'withdrawn' });
    assert.equal((await talk.next('turn-ended')).outcome, 'interrupted');
    talk.message('m3', 'Please fail', 3);
    const { outcome, summary } = await talk.next('turn-ended');
    assert.deepEqual([outcome, summary], ['failed', 'I was asked to fail.']);
  });

  test('SIGINT ends the turn and the process', { skip: process.platform === 'win32' }, async (t) => {
    const talk = await begin(t, 1);
    talk.message('m1', 'Wait for me', 1);
    await talk.printed('Turn 1');
    talk.signal('SIGINT');
    assert.equal((await talk.next('turn-ended')).outcome, 'interrupted');
    assert.equal(await talk.ended, 0);
  });

  test('plain lines that come together are one prompt, as today’s runs send it', async (t) => {
    const repo = await tempRepo(t);
    const child = spawn(process.execPath, [agent, '--live', '--speed', '200'], { cwd: repo });
    child.stdin.end('First line\n\nLast line\n');
    const [code] = (await once(child, 'close')) as [number];
    assert.equal(code, 0);
    assert.match(readFileSync(path.join(repo, 'demo/live-1.md'), 'utf8'), /First line\n\nLast line/);
    assert.ok(!existsSync(path.join(repo, 'demo/live-2.md')));
  });

  test('its setting is one for an agent that takes lines', () => {
    const [, live] = demoAgents({ live: true });
    assert.deepEqual([live?.id, live?.stdin], ['demo-live', 'lines']);
  });
});
