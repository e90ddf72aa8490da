import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { TreelineError } from '../../../src/platform/errors.ts';
import { sessionId } from '../../../src/platform/ids.ts';
import { selfId } from '../../../src/platform/process-id.ts';
import { outcome } from '../../../src/sessions/outcome.ts';
import { Store } from '../../../src/store/store.ts';
import { quoted } from '../../../src/words/saying.ts';
import { created, leads } from '../store/facts.ts';
import { tempDir } from '../support.ts';
import { BOUND, LOG } from './support.ts';

async function opened(t: TestContext): Promise<{ readonly store: Store; readonly session: string }> {
  const folder = await tempDir(t);
  const store = Store.open(folder, { role: 'window', process: await selfId() }, LOG);
  t.after(() => store.dispose());
  await store.ready;
  const session = sessionId();
  // A refusal counts from whoever leads.
  store.append(leads(), { ...created, session });
  return { store, session };
}

test('what is so already is told at once, and what comes to be when it does', BOUND, async (t) => {
  const { store, session } = await opened(t);
  assert.equal(await outcome(store, session, { of: ({ name }) => name }), created.name);
  const renamed = outcome(store, session, { of: ({ name }) => (name === 'Other' ? name : undefined) });
  store.append({ type: 'session.renamed', session, name: 'Another' });
  store.append({ type: 'session.renamed', session, name: 'Other' });
  assert.equal(await renamed, 'Other');
});

test('a refusal is what it was thrown as, from the state and from a fact', BOUND, async (t) => {
  const { store, session } = await opened(t);
  const refusal = new TreelineError('turn-runs', 'It is running.');
  const refuse = (): never => {
    throw refusal;
  };
  await assert.rejects(outcome(store, session, { of: refuse }), refusal);
  const wish = outcome(store, session, {
    of: () => undefined,
    onFact: (fact) => {
      if (fact.type === 'intent.refused' && fact.intent === 'mine') throw new TreelineError(fact.code, fact.why);
    },
  });
  const refused = { type: 'intent.refused', session, code: 'worktree-busy', why: quoted('In use.') } as const;
  store.append({ ...refused, intent: 'somebody else’s', code: 'other' }, { ...refused, intent: 'mine' });
  await assert.rejects(wish, { code: 'worktree-busy', message: 'In use.' });
});

test('an answer that stands in the journal right behind what was asked is heard', BOUND, async (t) => {
  const { store, session } = await opened(t);
  let mine: string | undefined;
  const wish = outcome(store, session, {
    // As where another process acts, and is quicker than the look at what was written.
    ask: () => {
      mine = store.append({ type: 'move.wanted', session, to: 'trash' })[0]?.id;
      store.append({
        type: 'intent.refused',
        session,
        intent: mine ?? '',
        code: 'worktree-busy',
        why: quoted('In use.'),
      });
    },
    of: ({ wish }) => (wish === undefined ? 'done' : undefined),
    onFact: (fact) => {
      if (fact.type === 'intent.refused' && fact.intent === mine) throw new TreelineError(fact.code, fact.why);
    },
  });
  await assert.rejects(wish, { code: 'worktree-busy' });
});

test('a session that is not there is no session, and not waited for', BOUND, async (t) => {
  const { store } = await opened(t);
  await assert.rejects(outcome(store, sessionId(), { of: () => undefined }), { code: 'no-session' });
});

test('it is looked at once more after the time that was asked for, though no fact came', BOUND, async (t) => {
  const { store, session } = await opened(t);
  let looks = 0;
  assert.equal(
    await outcome(store, session, { of: () => (++looks === 2 ? 'late' : undefined), lookAfter: 10 }),
    'late',
  );
});
