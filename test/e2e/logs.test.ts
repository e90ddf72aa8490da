import { test } from 'node:test';
import { Gate, sessionItem, spawnAgent, startTreeline, story } from './support.mts';

test('a log that comes back with the window goes on following its file', async (t) => {
  const { workbench, server, browser } = await startTreeline(t);
  const step = story(t, browser);
  const gates = [new Gate(server, 'one'), new Gate(server, 'two')];
  const shows = (text: string): Promise<void> => workbench.editorText.getByText(text, { exact: true }).waitFor();

  await step('a log is open at its end', async () => {
    await workbench.showContainer('Treeline');
    await spawnAgent(workbench, {
      agent: 'Scripted',
      prompt: [
        'burst 200',
        ...gates.flatMap(({ file }, n) => [`until ${file}`, `burst ${(n + 1) * 300}`]),
        'print over',
      ].join('\n'),
    });
    await sessionItem(workbench, /^Working: burst 200/).waitFor();
    await workbench.command('Treeline: Open Log…');
    await workbench.choose(/^burst 200/, { asked: 'Select a session' });
    await workbench.choose('stdout', { asked: 'Select a log' });
    await workbench.tab(/\.stdout\.log/).waitFor();
    await shows('line 200');
  });

  await step('after a reload it follows on by itself, to the end', async () => {
    // By the editor's own command, which writes down the layout first.
    const loaded = workbench.page.waitForEvent('load');
    await workbench.command('Developer: Reload Window');
    await loaded;
    // What is printed before the window is back stands below what the editor remembers as the end.
    await gates[0]!.open();
    await workbench.ready();
    await workbench
      .tab(/\.stdout\.log/)
      .and(workbench.page.locator('[aria-selected=true]'))
      .waitFor();
    await shows('line 300');
    await gates[1]!.open();
    await shows('over');
  });
});
