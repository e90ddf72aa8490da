import assert from 'node:assert/strict';
import { appendFileSync, createWriteStream, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import path from 'node:path';
import * as vscode from 'vscode';
import type { ApiSession } from '../../src/api.ts';
import { activated, closeEditors, finished, untilEvent } from './support.ts';
import type { Activated } from './support.ts';

describe('log documents', () => {
  let api: Activated;
  let session: ApiSession;
  let file: string;
  before(async () => {
    api = await activated();
    session = await finished(api, 'Logged', ['say', 'first line'], ['say', 'second line'], ['say', 'third line']);
    file = path.join(session.turns[0]!.folder, 'stdout.log');
  });
  afterEach(closeEditors);

  const open = async (options: object): Promise<vscode.TextEditor> => {
    await vscode.commands.executeCommand('treeline.openLog', session.id, options);
    const editor = vscode.window.activeTextEditor;
    assert.equal(editor?.document.uri.scheme, 'treeline-log');
    return editor;
  };
  const text = (editor: vscode.TextEditor, holds: (text: string) => boolean, what: string): Promise<string> =>
    untilEvent(
      (look) => vscode.workspace.onDidChangeTextDocument(look),
      () => {
        const now = editor.document.getText();
        return holds(now) ? now : undefined;
      },
      what,
    );

  it('opens as a read-only .log file and follows it', async () => {
    const editor = await open({ stream: 'stdout' });
    assert.equal(editor.document.languageId, 'log');
    assert.equal(editor.document.getText(), 'first line\nsecond line\nthird line\n');
    assert.equal(vscode.workspace.fs.isWritableFileSystem('treeline-log'), false);
    appendFileSync(file, 'appended\n');
    await text(editor, (now) => now.endsWith('appended\n'), 'what is appended is shown');
    await untilEvent(
      (look) => vscode.window.onDidChangeTextEditorSelection(look),
      () => editor.selection.active.line === editor.document.lineCount - 1 || undefined,
      'the caret stays at the end',
    );
  });

  it('selects the line at a byte', async () => {
    const editor = await open({ byte: 'first line\n'.length });
    assert.equal(editor.document.getText(editor.selection), 'second line');
  });

  it('shows bytes that are no text, and NULs, as something', async () => {
    writeFileSync(file, Buffer.from([...Buffer.from('a\0b '), 0xff, ...Buffer.from(' c\n')]));
    const editor = await open({ stream: 'stdout' });
    await text(editor, (now) => now === 'a\u2400b \ufffd c\n', 'they are shown');
  });

  it('shows the end of a 200 MB log, moves in it, and never reads it whole', async function () {
    this.timeout(60_000);
    const line = `${'x'.repeat(999)}\n`;
    const stream = createWriteStream(file);
    for (let megabyte = 0; megabyte < 200; megabyte += 1) {
      const chunk = Array.from({ length: 1000 }, (_, index) => `${megabyte * 1000 + index} ${line}`).join('');
      if (!stream.write(chunk)) await once(stream, 'drain');
    }
    stream.end('the very end\n');
    await once(stream, 'finish');
    const before = process.memoryUsage().rss;
    const editor = await open({ stream: 'stdout' });
    const shown = await text(editor, (now) => now.endsWith('the very end\n'), 'the end is shown');
    assert.ok(shown.length < 2 * 1024 * 1024, `${shown.length} characters`);
    assert.match(editor.document.lineAt(0).text, /bytes [\d,]+ to [\d,]+ of 20\d,/);
    // The first whole line of the log follows the line about it.
    assert.match(editor.document.lineAt(1).text, /^\d+ x{999}$/);
    const first = Number.parseInt(editor.document.lineAt(1).text, 10);
    await vscode.commands.executeCommand('treeline.logEarlier');
    await text(editor, () => !editor.document.lineAt(1).text.startsWith(`${first} `), 'what is before it is shown');
    const earlier = Number.parseInt(editor.document.lineAt(1).text, 10);
    assert.ok(earlier < first && earlier > first - 1200, `${earlier} before ${first}`);
    await vscode.commands.executeCommand('treeline.logEnd');
    await text(editor, (now) => now.endsWith('the very end\n'), 'the end is shown again');
    appendFileSync(file, 'and on\n');
    await text(editor, (now) => now.endsWith('and on\n'), 'a large log is followed too');
    const middle = await open({ byte: 100_000_000 });
    assert.match(middle.document.getText(middle.selection), /^\d+ x{999}$/);
    const grown = process.memoryUsage().rss - before;
    assert.ok(grown < 150 * 1024 * 1024, `${Math.round(grown / 1024 / 1024)} MB more`);
  });

  it('names no other file', async () => {
    for (const name of ['/etc/passwd', `/${session.id}/turn-1/x.spec.json`, `/${session.id}/turn-9/x.stdout.log`]) {
      await assert.rejects(
        Promise.resolve(vscode.workspace.fs.readFile(vscode.Uri.from({ scheme: 'treeline-log', path: name }))),
        name,
      );
    }
  });
});
