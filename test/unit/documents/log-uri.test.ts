import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { logPath, parseLogPath } from '../../../src/documents/log-uri.ts';
import type { LogSource } from '../../../src/documents/log-uri.ts';

describe('the path of a log', () => {
  it('reads back as what it was made of', () => {
    const sources: LogSource[] = [
      { kind: 'stream', session: 'ses_1-a', turn: 12, stream: 'o' },
      { kind: 'stream', session: 'ses_1-a', turn: 1, stream: 'k' },
      { kind: 'row', session: 'ses_1-a', seq: 7, part: 'output' },
      { kind: 'row', session: 'ses_1-a', seq: 7, part: 'diff' },
    ];
    for (const source of sources) {
      assert.deepEqual(parseLogPath(logPath(source, 'fix / it ../..')), source);
    }
    assert.equal(logPath(sources[0]!, 'fix it'), '/ses_1-a/turn-12/fix-it.stdout.log');
  });

  it('is nothing else', () => {
    for (const path of [
      '/etc/passwd',
      '/ses_1/turn-1/../../x.stdout.log',
      '/ses_1/turn-0/x.stdout.log',
      '/ses_1/turn-1/x.spec.json',
      '/../turn-1/x.stdout.log',
      '/ses_1/row-1/x.output.md',
      '',
    ]) {
      assert.equal(parseLogPath(path), undefined, path);
    }
  });
});
