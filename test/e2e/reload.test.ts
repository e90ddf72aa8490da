import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { patience, rows, showTimeline, spawnAgent, startTreeline, story, until } from './support.mts';

test('a session has one tab: no reload of the window and no click makes a second one', async (t) => {
  const { workbench, browser } = await startTreeline(t);
  const { page } = workbench;
  const step = story(t, browser);
  const tabs = async () => {
    const texts = await page.locator('.tabs-container').getByRole('tab').allTextContents();
    return texts.map((text) => /Behind|Before/.exec(text)?.[0] ?? text);
  };
  /** The editor opens a tab before it closes the one that it stands for. */
  const oneTabEach = () =>
    until(async () => isDeepStrictEqual(await tabs(), ['Behind', 'Before']), 'one tab a session');
  /** Where the reader is, and what is open, is written down a moment later: nothing on the screen tells of it. */
  const remembered = () => page.waitForTimeout(Math.min(patience(1500), 5000));
  const status = (text: string) => workbench.webview().locator('.header .status').filter({ hasText: text });
  const row = (text: string) => rows(workbench, ':not(.kind-turn-start)').filter({ hasText: text }).first();

  await step('two timelines are open', async () => {
    await workbench.showContainer('Treeline');
    for (const name of ['Behind', 'Before']) {
      await spawnAgent(workbench, { agent: 'Scripted', prompt: `${name}\nprint at last` });
      await showTimeline(workbench, name);
      await row('at last').waitFor();
    }
    await oneTabEach();
  });

  await step('three reloads, and clicks on both', async () => {
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
