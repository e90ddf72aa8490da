import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { VscodeServer } from '../support/vscode-server.mts';
import { Shell } from './shell.mts';
import { becomes, Busyness, Gate, patience, rows, showTimeline, startTreeline, story, until } from './support.mts';

/** What a page notices, and what it shows anew, it does within this many ms. */
const WITHIN = 2000;

/** What stands between a person and the truth when the extension host dies. */
test('a timeline outlives its extension host: it says so, and tells the truth again in the same tab', async (t) => {
  const { workbench, server, browser, repo } = await startTreeline(t);
  const { page } = workbench;
  const step = story(t, browser);
  let killed = 0;
  const [first, second] = [new Gate(server, 'first'), new Gate(server, 'second')];
  const tabs = async () => {
    const texts = await page.locator('.tabs-container').getByRole('tab').allTextContents();
    return texts.map((text) => /Behind|Before/.exec(text)?.[0] ?? text);
  };
  /** The editor opens a tab before it closes the one that it stands for. */
  const oneTabEach = () => becomes(tabs, ['Behind', 'Before']);
  /** Where the reader is, the page writes down a moment later (250 ms): nothing on the screen tells of it, but its own clock does. */
  const remembered = () =>
    workbench
      .webview()
      .locator('body')
      .evaluate(() => new Promise((resolve) => setTimeout(resolve, 500)));
  const status = (text: string) => workbench.webview().locator('.header .status').filter({ hasText: text });
  /** When the page in view first said so, by its own clock: ms since the epoch. */
  const saidAt = (text: string): Promise<number> =>
    workbench
      .webview()
      .locator('.header')
      .evaluate(
        (header, wanted) =>
          new Promise<number>((resolve) => {
            new MutationObserver(() => {
              if (header.querySelector('.status')?.textContent.includes(wanted) === true) resolve(Date.now());
            }).observe(header, { subtree: true, childList: true, characterData: true });
          }),
        text,
      );
  const row = (text: string | RegExp) => rows(workbench, ':not(.kind-turn-start)').filter({ hasText: text }).first();

  await step('two timelines are open: one shows, the other is hidden behind it', async () => {
    await workbench.showContainer('Treeline');
    const shell = await Shell.of(server, repo);
    for (const [name, gate] of [
      ['Behind', second],
      ['Before', first],
    ] as const) {
      await shell.spawn(name, 'burst 120', `until ${gate.file}`, 'print at last');
      await showTimeline(workbench, name);
      await row('line 120').waitFor();
    }
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
    const hosts = await server.extensionHosts();
    assert.equal(hosts.length, 1);
    const said = saidAt('Reconnecting…');
    await status('Working').waitFor();
    killed = Date.now();
    process.kill(hosts[0]!, 'SIGKILL');
    // Of what is over now, the page learns from the host to come.
    await first.open();
    const noticed = (await said) - killed;
    t.diagnostic(`noticed after ${noticed} ms`);
    assert.ok(noticed < patience(WITHIN), `${noticed} ms`);
  });

  await step(
    'the host that comes after it shows the truth within 2 s, in the same tab, at the same place',
    async () => {
      // The page is another one by then: it is looked at from outside, as often as that can be done.
      const machine = new Busyness();
      const isShown = async (): Promise<boolean> => {
        machine.look();
        return (await status('Idle').count()) > 0;
      };
      await until(isShown, 'the truth is shown', { seconds: 60, every: 50 });
      const shown = Date.now();
      const [host] = await server.extensionHosts();
      // What VS Code takes to load its own extensions is not Treeline's.
      const begun = await activatedAfter(server, killed);
      t.diagnostic(
        `shown ${shown - begun} ms after Treeline's start in the new host, ${shown - startedAt(host!)} ms after the host's`,
      );
      t.diagnostic(`each process had to wait ${machine.share.toFixed(1)} times as long as on a machine of its own`);
      assert.ok(shown - begun < WITHIN * machine.share, `${shown - begun} ms`);
      await row(/line 1(?!\d)/).waitFor();
      assert.equal(await row('at last').count(), 0, 'not at the end');
      await oneTabEach();
      await workbench.webview().locator('.jump').click();
      await row('at last').waitFor();
      await remembered();
    },
  );

  await step('the hidden one as well, when it is shown by its tab', async () => {
    await workbench.showTab(/^Behind/);
    await status('Working').waitFor();
    await row('line 120').waitFor();
    await oneTabEach();
    await second.open();
    await status('Idle').waitFor();
  });

  await step('a click on the session of a dead tab takes that tab', async () => {
    const [host] = await server.extensionHosts();
    process.kill(host!, 'SIGKILL');
    await until(
      async () => (await server.extensionHosts()).some((pid) => pid !== host),
      'there is another extension host',
    );
    await status('Idle').waitFor({ timeout: 60_000 });
    await showTimeline(workbench, 'Before');
    await row('at last').waitFor();
    await oneTabEach();
  });
});

/** When Treeline began in the extension host that was started after an instant: ms since the epoch. */
async function activatedAfter({ userData }: VscodeServer, instant: number): Promise<number> {
  let begun: number | undefined;
  // The log is written some time later.
  await until(() => {
    const logs = globSync(`${userData}/logs/**/Treeline.log`).map((file) => readFileSync(file, 'utf8'));
    const times = [...logs.join('\n').matchAll(/ Activated in .* at (\S+);/g)].map(([, time]) => Date.parse(time!));
    begun = times.find((time) => time > instant);
    return begun !== undefined;
  }, 'the log tells when Treeline began');
  return begun!;
}

/** When a process started: ms since the epoch, to a hundredth of a second. Linux only. */
function startedAt(pid: number): number {
  const ticks = Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[19]);
  const uptime = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000;
  const MS_PER_TICK = 10;
  return Date.now() - (uptime - ticks * MS_PER_TICK);
}
