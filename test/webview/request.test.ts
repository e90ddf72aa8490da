import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeRow, StandInHost } from './stand-in-host.ts';
import { withPage } from './support.ts';
import type { Excerpt, RequestPart } from '../../src/protocol/timeline.ts';
import type { Locator } from 'playwright-core';

const open = withPage();
const whole = (text: string): Excerpt => ({ text, bytes: Buffer.byteLength(text), cut: false });

const asked: RequestPart = {
  id: 'r1',
  about: 'permission',
  state: 'open',
  input: whole('rm -rf ./*  <b>build</b>\n\u202egnp.exe'),
  choices: [
    { id: 'allow', label: 'Allow' },
    { id: 'deny', label: 'Deny' },
  ],
};

const choices = (row: Locator): Promise<(string | null)[][]> =>
  row
    .locator('.choices li')
    .evaluateAll((items) => items.map((item) => [item.textContent, item.getAttribute('title')]));

test('a request says its kind, its exact input, its choices, and that the agent waits', async () => {
  const { page } = await open(new StandInHost([makeRow(1, { kind: 'request', text: 'Delete it?', request: asked })]));
  const row = page.locator('.row.kind-request');
  await row.getByText('Waiting for an answer').waitFor();
  await row.getByText('Permission', { exact: true }).waitFor();
  await row.getByText('Delete it?').waitFor();
  assert.equal(await row.locator('pre').textContent(), 'rm -rf ./*  <b>build</b>\n‹U+202E›gnp.exe');
  assert.deepEqual(await choices(row), [
    ['Allow', 'can be chosen'],
    ['Deny', 'can be chosen'],
  ]);
  assert.equal(await row.getByRole('button').count(), 0, 'nothing that does nothing');
  assert.match(
    (await row.getAttribute('aria-label'))!,
    /^Waiting for an answer: Permission: Delete it\? rm -rf .*\. Choices: Allow, Deny, \d/,
  );
});

test('the answer revises the row where it stands, in view and with the focus', async () => {
  const host = new StandInHost([makeRow(1, { kind: 'request', text: 'Delete it?', request: asked })]);
  const { page } = await open(host);
  const row = page.locator('.row.kind-request');
  await row.focus();
  host.change(1, {
    request: { ...asked, state: 'answered', choice: 'deny', answer: whole('Not the\ntests.'), waitedMs: 83_000 },
  });
  await row.getByText('Answered: Deny · 1m 23s').waitFor();
  assert.deepEqual(await choices(row), [
    ['Allow', 'not chosen'],
    ['Deny', 'chosen'],
  ]);
  assert.ok((await row.textContent())!.includes('Not the\ntests.'), 'as it was written');
  assert.equal(await page.locator('.row').count(), 1);
  assert.equal(await row.evaluate((element) => element === document.activeElement), true);
  assert.match(
    (await row.getAttribute('aria-label'))!,
    /^Answered: Deny · 1m 23s: Permission: .*Answer: Not the tests\./,
  );
});

test('an answer in words, and requests that were not answered', async () => {
  const { input: _, ...question } = { ...asked, about: 'question' as const };
  const requests: RequestPart[] = [
    { ...question, state: 'answered', answer: whole('Grün') },
    { ...question, state: 'cancelled' },
    { ...question, state: 'lapsed' },
  ];
  const rows = requests.map((request, n) => makeRow(n + 1, { kind: 'request', text: 'Which colour?', request }));
  const { page } = await open(new StandInHost(rows));
  const states = page.locator('.kind-request .state');
  await states.nth(2).waitFor();
  assert.deepEqual(await states.allTextContents(), ['Answered', 'Withdrawn by the agent', 'Not answered']);
  await page.locator('.row').first().getByText('Grün').waitFor();
});

test('a long input is folded, opens, and leads to the whole; a plan reads as Markdown', async () => {
  const long = Array.from({ length: 60 }, (_, n) => `line ${n + 1}`).join('\n');
  const host = new StandInHost([
    makeRow(1, {
      kind: 'request',
      text: 'Run this?',
      request: { ...asked, input: { text: long, bytes: 5000, cut: true } },
    }),
    makeRow(2, {
      kind: 'request',
      text: 'Do this?',
      request: { ...asked, about: 'plan', input: whole('1. **Look**\n2. Write') },
    }),
  ]);
  const { page } = await open(host, { height: 2400 });
  const row = page.locator('.row').first();
  await row.getByText('line 16').waitFor();
  assert.equal(await row.getByText('line 17').count(), 0);
  await row.getByRole('button', { name: 'Show more' }).click();
  await row.getByText('line 60').waitFor();
  await row.getByRole('button', { name: 'Show all (5 kB)' }).click();
  await page.waitForFunction(() => true);
  assert.deepEqual(host.asked.at(-1), { type: 'openText', seq: 1, part: 'request' });
  assert.equal(await page.locator('.row').nth(1).locator('li strong').textContent(), 'Look');
});
