import assert from 'node:assert/strict';
import os from 'node:os';
import { test } from 'node:test';
import { Gate, rows, showTimeline, spawnAgent, startTreeline, story } from './support.mts';

/** What stands between a person and the truth when the extension host dies. */
test('the tab of a timeline whose extension host was killed is taken over by the next one', async (t) => {
  const { workbench, server, browser } = await startTreeline(t);
  const step = story(t, browser);
  const [first, second] = [new Gate(server, 'first'), new Gate(server, 'second')];
  const tabs = () => workbench.page.locator('.tabs-container').getByRole('tab').allTextContents();
  const status = (text: string) => workbench.webview().locator('.header .status').filter({ hasText: text });
  const row = (text: string) => rows(workbench, ':not(.kind-turn-start)').filter({ hasText: text }).first();

  await step('two timelines are open: one shows, the other is hidden behind it', async () => {
    await workbench.showContainer('Treeline');
    const prompt = (name: string, gate: Gate): string =>
      [name, 'burst 120', `until ${gate.file}`, 'print at last'].join('\n');
    await spawnAgent(workbench, { agent: 'Scripted', prompt: prompt('Behind', second) });
    await row('line 120').waitFor();
    await spawnAgent(workbench, { agent: 'Scripted', prompt: prompt('Before', first) });
    await showTimeline(workbench, 'Before');
    await row('line 120').waitFor();
    assert.equal((await tabs()).length, 2);
  });

  await step('the page of a host that was killed says so within 2 s, and stands still', async () => {
    const hosts = (await server.processes()).filter(({ command }) => command.includes('--type=extensionHost'));
    assert.equal(hosts.length, 1);
    const said = status('Reconnecting…').waitFor({ timeout: 10_000 });
    const killed = Date.now();
    process.kill(hosts[0]!.pid, 'SIGKILL');
    // Of what is over now, the page learns from the host to come.
    await first.open();
    await said;
    const noticed = Date.now() - killed;
    t.diagnostic(`noticed after ${noticed} ms`);
    // Where more wants to run than there are cores, in proportion.
    const share = Math.max(1, (os.loadavg()[0] ?? 0) / os.availableParallelism());
    assert.ok(noticed < 2000 * share, `${noticed} ms`);
  });

  await step('the host that comes after it shows the truth in the same tab', async () => {
    await status('Idle').waitFor({ timeout: 30_000 });
    assert.equal((await tabs()).length, 2);
    assert.match((await tabs())[1] ?? '', /Before/);
    await workbench
      .webview()
      .locator('.scroller')
      .evaluate((e) => {
        e.scrollTop = e.scrollHeight;
      });
    await row('at last').waitFor();
  });
});
