import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventLine } from '../../../src/hosts/command/output.ts';
import type { RequestPart, Row } from '../../../src/protocol/rows.ts';

const excerpt = (text: string): Row['text'] => ({ text, bytes: Buffer.byteLength(text), cut: false });

function line(request: Partial<RequestPart>): string {
  const asked: RequestPart = { id: 'r1', about: 'permission', state: 'open', choices: [], ...request };
  const place = { seq: 1, rev: 1, turn: 1, kind: 'request', at: 0, depth: 0, problem: false } as const;
  return eventLine({ ...place, text: excerpt('Push?'), request: asked }).replace(/^\S+ +request +/, '');
}

test('the line of a request says what exactly it is about, and what it was answered with', () => {
  const input = excerpt('git push\norigin');
  const choices = [{ id: 'no', label: 'Deny' }];
  assert.equal(line({ input }), 'Push? git push origin (waiting for an answer)');
  assert.equal(line({ choices, state: 'answered', choice: 'no' }), 'Push? (answered: Deny)');
  assert.equal(
    line({ choices, state: 'answered', choice: 'no', answer: excerpt('Later') }),
    'Push? (answered: Deny: Later)',
  );
  assert.equal(line({ state: 'lapsed' }), 'Push? (not answered)');
});
