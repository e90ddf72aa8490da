import { test } from 'node:test';
import { Shell } from './shell.mts';
import { becomes, Gate, rows, sessionItem, showTimeline, startTreeline, story } from './support.mts';

test('after a reload each session has its one tab, and a log goes on following its file', async (t) => {
  const { workbench, server, browser, repo } = await startTreeline(t);
  const { page } = workbench;
  const step = story(t, browser);
  const tabs = async () => {
    const texts = await page.locator('.tabs-container').getByRole('tab').allTextContents();
    return texts.map((text) => /Behind|Before/.exec(text)?.[0] ?? text);
  };
  /** The editor opens a tab before it closes the one that it stands for. */
  const oneTabEach = () => becomes(tabs, ['Behind', 'Before']);
  const status = (text: string) => workbench.webview().locator('.header .status').filter({ hasText: text });
  const gates = [new Gate(server, 'one'), new Gate(server, 'two')];
  const log = /\.stdout\.log/;
  const shows = (text: string): Promise<void> => workbench.editorText.getByText(text, { exact: true }).waitFor();
  let shell: Shell;
  const row = (text: string) => rows(workbench, ':not(.kind-turn-start)').filter({ hasText: text }).first();

  await step('two timelines are open', async () => {
    await workbench.showContainer('Treeline');
    shell = await Shell.of(server, repo);
    for (const name of ['Behind', 'Before']) {
      await shell.spawn(name, 'print at last');
      await showTimeline(workbench, name);
      await row('at last').waitFor();
    }
    await oneTabEach();
  });

  await step('no reload of the window and no click makes a second one', async () => {
    for (const [one, other] of [
      ['Before', 'Behind'],
      ['Behind', 'Before'],
      ['Before', 'Behind'],
    ] as const) {
      await showTimeline(workbench, one);
      await row('at last').waitFor();
      await workbench.reloadWindow();
      await status('Idle').waitFor({ timeout: 60_000 });
      await showTimeline(workbench, other);
      await row('at last').waitFor();
      await oneTabEach();
      await showTimeline(workbench, one);
      await oneTabEach();
    }
  });

  await step('a log is open at its end', async () => {
    await shell.spawn(
      'burst 200',
      ...gates.flatMap(({ file }, n) => [`until ${file}`, `burst ${(n + 1) * 300}`]),
      'print over',
    );
    await sessionItem(workbench, /^Working: burst 200/).waitFor();
    await workbench.command('Treeline: Open Log…');
    await workbench.choose(/^burst 200/, { asked: 'Select a session' });
    await workbench.choose('stdout', { asked: 'Select a log' });
    await workbench.shownTab(log).waitFor();
    await shows('line 200');
  });

  await step('after a reload it follows on by itself, to the end', async () => {
    await workbench.reloadWindow({
      // What is printed before the window is back stands below what the editor remembers as the end.
      meanwhile: () => gates[0]!.open(),
    });
    await workbench.shownTab(log).waitFor();
    await shows('line 300');
    await gates[1]!.open();
    await shows('over');
  });
});
