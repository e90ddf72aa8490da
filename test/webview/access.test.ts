import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { generated } from './generated.ts';
import { StandInHost } from './stand-in-host.ts';
import { story } from './story.ts';
import { withPage } from './support.ts';
import { THEMES } from './themes.ts';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';

const open = withPage();
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const { violations: found } = await page.evaluate(() =>
    (window as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
  );
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 200)} ${node.failureSummary ?? ''}`));
}

for (const theme of Object.keys(THEMES) as (keyof typeof THEMES)[]) {
  test(`axe finds nothing serious: ${theme}`, async () => {
    const { page, problems } = await open(new StandInHost(story()), { theme, height: 700 });
    await page.locator('.row').first().waitFor();
    assert.deepEqual(await violations(page), [], 'at the end');
    await page.locator('.row[tabindex="0"]').focus();
    await page.keyboard.press('Home');
    assert.deepEqual(await violations(page), [], 'at the beginning, with a focused row');
    await page.locator('.toggle', { hasText: 'Edit' }).click();
    await page.locator('vscode-button.group').nth(2).click();
    await page.locator('.count', { hasText: 'of' }).waitFor();
    assert.deepEqual(await violations(page), [], 'with an open tool call and a filter');
    assert.deepEqual(problems, []);
    await page.context().close();
  });
}

test('the focus is seen in every theme, on rows and on controls', async () => {
  for (const theme of Object.keys(THEMES) as (keyof typeof THEMES)[]) {
    const { page } = await open(new StandInHost(story()), { theme });
    await page.locator('.row').first().waitFor();
    await page.locator('.row[tabindex="0"]').focus();
    await page.keyboard.press('ArrowUp');
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement!).outline);
    assert.match(outline, /solid 1px|1px solid|solid/, theme);
    await page.context().close();
  }
});

test('nothing moves when motion is to be reduced, by the editor or by the system', async () => {
  const animation = (page: Page): Promise<string[]> =>
    page.evaluate(() => [
      getComputedStyle(document.querySelector('.status .codicon')!).animationName,
      getComputedStyle(document.querySelector('.state-running')!, '::before').animationName,
    ]);
  const cases = [
    { opening: {}, expected: ['spin', 'spin'] },
    { opening: { bodyClass: 'vscode-reduce-motion' }, expected: ['none', 'none'] },
    { opening: { options: { reducedMotion: 'reduce' as const } }, expected: ['none', 'none'] },
  ];
  for (const { opening, expected } of cases) {
    const { page } = await open(new StandInHost(story()), opening);
    await page.locator('.state-running').waitFor();
    assert.deepEqual(await animation(page), expected);
    await page.context().close();
  }
});

test('the live region sums up, at most every five seconds', async () => {
  const host = new StandInHost(story());
  const { page } = await open(host);
  await page.locator('.row').first().waitFor();
  await page.evaluate(() => {
    const said: { at: number; text: string }[] = [];
    (window as unknown as { said: unknown }).said = said;
    new MutationObserver(() => {
      said.push({ at: performance.now(), text: document.querySelector('[role="status"]')!.textContent });
    }).observe(document.querySelector('[role="status"]')!, { childList: true, characterData: true, subtree: true });
  });
  for (let step = 0; step < 60; step += 1) {
    host.append(
      step % 3 === 2 ? { kind: 'tool', tool: { name: 'Bash', argument: 'x', state: 'running' } } : generated(1),
    );
    await page.waitForTimeout(100);
  }
  await page.waitForTimeout(5_500);
  const said = await page.evaluate(() => (window as unknown as { said: { at: number; text: string }[] }).said);
  assert.ok(said.length >= 1 && said.length <= 3, JSON.stringify(said));
  for (const [index, { at, text }] of said.entries()) {
    assert.match(text, /^\d+ new events, running Bash$|^\d+ new events$/);
    if (index > 0) assert.ok(at - said[index - 1]!.at >= 4_900);
  }
  assert.equal(await page.locator('[aria-live]').count(), 1);
  await page.context().close();
});

test('a screen reader hears the state first, where a row stands, and how many there are', async () => {
  const { page } = await open(new StandInHost(story()));
  await page.locator('.row').first().waitFor();
  const feed = page.getByRole('feed', { name: 'Timeline of Fix the login redirect' });
  await feed.waitFor();
  const last = feed.getByRole('article').last();
  assert.match((await last.getAttribute('aria-label'))!, /^running: Bash npm test/);
  assert.equal(await last.getAttribute('aria-posinset'), '33');
  assert.equal(await last.getAttribute('aria-setsize'), '33');
  assert.match((await feed.locator('.kind-error').getAttribute('aria-label'))!, /^Error: API Error: 500/);
  await page.context().close();
});
