import assert from 'node:assert/strict';
import os from 'node:os';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { Gate, rows, sessionItem, showTimeline, spawnAgent, startTreeline, story, until } from './support.mts';

/** Where more wants to run than there are cores, everything takes longer in this proportion. */
const share = (): number => Math.max(1, (os.loadavg()[0] ?? 0) / os.availableParallelism());

/** What stands between a person and the truth when the extension host dies, is restarted, or the window is reloaded. */
test('a session has one tab, whatever becomes of its extension host, and that tab tells the truth', async (t) => {
  const { workbench, server, browser } = await startTreeline(t);
  const { page } = workbench;
  const step = story(t, browser);
  const [first, second] = [new Gate(server, 'first'), new Gate(server, 'second')];
  const extensionHosts = async () =>
    (await server.processes()).flatMap(({ pid, command }) => (command.includes('--type=extensionHost') ? [pid] : []));
  const tabs = async () => {
    const texts = await workbench.page.locator('.tabs-container').getByRole('tab').allTextContents();
    return texts.map((text) => /Behind|Before/.exec(text)?.[0] ?? text);
  };
  /** The editor opens a tab before it closes the one that it stands for. */
  const oneTabEach = () =>
    until(async () => isDeepStrictEqual(await tabs(), ['Behind', 'Before']), 'one tab a session');
  /** Where the reader is, and what is open, is written down a moment later: nothing on the screen tells of it. */
  const remembered = () => page.waitForTimeout(1500 * share());
  const status = (text: string) => workbench.webview().locator('.header .status').filter({ hasText: text });
  const row = (text: string | RegExp) => rows(workbench, ':not(.kind-turn-start)').filter({ hasText: text }).first();

  await step('two timelines are open: one shows, the other is hidden behind it', async () => {
    await workbench.showContainer('Treeline');
    const prompt = (name: string, gate: Gate): string =>
      [name, 'burst 120', `until ${gate.file}`, 'print at last'].join('\n');
    await spawnAgent(workbench, { agent: 'Scripted', prompt: prompt('Behind', second) });
    await row('line 120').waitFor();
    await spawnAgent(workbench, { agent: 'Scripted', prompt: prompt('Before', first) });
    await showTimeline(workbench, 'Before');
    await row('line 120').waitFor();
    await oneTabEach();
  });

  await step('the page of a host that was killed says so within 2 s, and stands still', async () => {
    // Not at the end, so that there is a place to come back to.
    await workbench
      .webview()
      .locator('.scroller')
      .evaluate((e) => {
        e.scrollTop = 0;
      });
    await row(/line 1(?!\d)/).waitFor();
    await workbench.webview().locator('.jump').waitFor();
    await remembered();
    const hosts = await extensionHosts();
    assert.equal(hosts.length, 1);
    const said = status('Reconnecting…').waitFor({ timeout: 30_000 });
    const killed = Date.now();
    process.kill(hosts[0]!, 'SIGKILL');
    // Of what is over now, the page learns from the host to come.
    await first.open();
    await said;
    const noticed = Date.now() - killed;
    t.diagnostic(`noticed after ${noticed} ms`);
    assert.ok(noticed < 2000 * share(), `${noticed} ms`);
  });

  await step('the host that comes after it shows the truth in the same tab, at the same place', async () => {
    await status('Idle').waitFor({ timeout: 60_000 });
    await row(/line 1(?!\d)/).waitFor();
    assert.equal(await row('at last').count(), 0, 'not at the end');
    await oneTabEach();
    await workbench.webview().locator('.jump').click();
    await row('at last').waitFor();
    await remembered();
  });

  await step('the hidden one as well, when it is shown by its tab', async () => {
    await workbench.tab(/^Behind/).click();
    await status('Working').waitFor({ timeout: 10_000 });
    await row('line 120').waitFor();
    await oneTabEach();
    await second.open();
    await status('Idle').waitFor();
  });

  await step('a click on the session of a dead tab takes that tab', async () => {
    const [host] = await extensionHosts();
    process.kill(host!, 'SIGKILL');
    await until(async () => (await extensionHosts()).some((pid) => pid !== host), 'there is another extension host');
    await status('Idle').waitFor({ timeout: 60_000 });
    await sessionItem(workbench, /: Before,/).click();
    await row('at last').waitFor();
    await oneTabEach();
  });

  await step('no reload and no click afterwards makes a second tab', async () => {
    for (const [one, other] of [
      ['Before', 'Behind'],
      ['Behind', 'Before'],
      ['Before', 'Behind'],
    ] as const) {
      await showTimeline(workbench, one);
      await row('at last').waitFor();
      await remembered();
      await workbench.reload();
      await status('Idle').waitFor({ timeout: 60_000 });
      await showTimeline(workbench, other);
      await row('at last').waitFor();
      await oneTabEach();
      await showTimeline(workbench, one);
      await oneTabEach();
    }
  });
});
