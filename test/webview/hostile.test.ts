import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeRow, StandInHost } from './stand-in-host.ts';
import { withPage } from './support.ts';
import type { RowInit } from './stand-in-host.ts';
import type { Excerpt, Row, RowKind } from '../../src/protocol/timeline.ts';

const open = withPage();

const HOSTILE = [
  '<script>window.hacked = 1</script>',
  '<img src=x onerror="window.hacked = 2">',
  '<svg/onload=window.hacked=3><style>body{display:none}</style>',
  '<iframe srcdoc="<script>parent.hacked = 4</script>"></iframe>',
  '![i](https://evil.example/a.png) [a](javascript:window.hacked=5) [b](data:text/html,x) [c](command:x.y)',
  '<a href="https://evil.example" target=_top>x</a> <form action=https://evil.example><input autofocus onfocus=hacked=6>',
  '[x](https://evil.example "onmouseover=hacked=7") <https://evil.example/auto> https://evil.example/bare',
  '"><vscode-button onclick=hacked=8>x</vscode-button>',
  '\u001b[31mred\u001b[0m\u001b]8;;https://evil.example\u0007link\u001b]8;;\u0007\u0000\u0008',
  '\u202egnp.exe\u2066 reversed \u2069',
  '__proto__ constructor toString {0} ${1}',
  'W'.repeat(5_000),
  'a\u0301'.repeat(2_000),
  '| a '.repeat(300) + '|\n' + '|-'.repeat(300) + '|\n',
  '> '.repeat(200) + 'deep',
  '- '.repeat(100) + 'deep',
  '\ud800 lone',
];

const KINDS: readonly RowKind[] = [
  ...(['session', 'prompt', 'text', 'thinking', 'files', 'todo', 'denial', 'retry', 'notice', 'warning'] as const),
  ...(['error', 'result', 'output', 'raw', 'turn-start', 'turn-end', 'sent', 'keeper', 'stderr'] as const),
];

function hostileRows(): Row[] {
  const inits: RowInit[] = [];
  for (const text of HOSTILE) {
    const excerpt: Excerpt = { text, bytes: text.length, cut: true };
    for (const kind of KINDS) {
      inits.push({
        kind,
        text,
        depth: 3,
        cut: 10,
        ...(kind === 'files' && { changes: [{ path: text, change: 'add' as const }] }),
        ...(kind === 'todo' && { todo: [{ text, state: 'doing' as const }] }),
        ...(kind === 'turn-end' && { end: { expected: [{ path: text, present: true }] } }),
      });
    }
    inits.push({
      kind: 'tool',
      tool: {
        name: text,
        argument: text,
        file: text,
        state: 'failed',
        input: excerpt,
        output: excerpt,
        diff: { ...excerpt, text: `+${text}\n-${text}` },
      },
    });
    inits.push({ kind: 'from the future' as RowKind, text });
  }
  return inits.map((init, index) => makeRow(index + 1, init));
}

test('hostile text in every field: nothing runs, nothing is loaded, nothing breaks out', async () => {
  const long = HOSTILE.join(' ');
  const host = new StandInHost(hostileRows(), {
    name: long,
    branch: long,
    agent: long,
    model: long,
    evidence: long,
    statusLabel: HOSTILE[1]!,
  });
  const { page, problems, foreign } = await open(host);
  await page.locator('.row').first().waitFor();
  const count = host.rows.length;
  await page.locator('.row[tabindex="0"]').focus();
  await page.keyboard.press('Home');
  // Every row is shown, and every tool call is opened.
  for (let position = 0; position < count; position += 1) {
    const row = page.locator(`[data-position="${position}"]`);
    if (host.rows[position]!.tool !== undefined) await page.keyboard.press('Enter');
    const { overflow, wide, forbidden } = await row.evaluate((e) => ({
      overflow: document.documentElement.scrollWidth - window.innerWidth,
      wide: e.getBoundingClientRect().width - e.parentElement!.getBoundingClientRect().width,
      forbidden: e.querySelectorAll('script,img,svg,iframe,style,form,input,object,a[href],[onclick],[onerror],[style]')
        .length,
    }));
    assert.deepEqual({ overflow, wide, forbidden }, { overflow: 0, wide: 0, forbidden: 0 }, `row ${position}`);
    await page.keyboard.press('ArrowDown');
  }
  for (const link of await page.locator('.link').all()) await link.dispatchEvent('click');
  assert.equal(await page.evaluate(() => (window as unknown as { hacked?: unknown }).hacked), undefined);
  assert.equal(await page.evaluate(() => document.body.innerText.includes('\u202e')), false);
  const header = (await page.locator('.header').boundingBox())!;
  assert.ok(header.height < 250, `the header is ${header.height} px high`);
  assert.deepEqual(problems, []);
  assert.deepEqual(foreign, []);
  for (const message of host.asked) {
    if (message.type === 'openLink') assert.match(message.href, /^https?:/);
  }
  await page.context().close();
});

test('what is no message of the host is not believed', async () => {
  const host = new StandInHost([makeRow(1, { text: 'fine' })]);
  const { page, problems } = await open(host);
  await page.getByText('fine').waitFor();
  for (const message of [{ type: 'nonsense', page: { rows: 'all' } }, 'hello']) {
    const refused = page.waitForEvent('console');
    await page.evaluate((data) => {
      window.postMessage(data);
    }, message);
    await refused;
  }
  assert.equal(problems.length, 2);
  assert.ok(await page.getByText('fine').isVisible());
  host.say({ type: 'error', message: 'The timeline could not be read: show the log for more.' });
  await page.getByText('The timeline could not be read').waitFor();
  await page.context().close();
});
