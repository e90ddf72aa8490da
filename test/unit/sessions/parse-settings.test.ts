import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseSettings } from '../../../src/sessions/parse-settings.ts';
import { DEFAULT_SETTINGS } from '../../../src/sessions/settings.ts';

describe('settings', () => {
  it('are the defaults where nothing is set', () => {
    assert.deepEqual(parseSettings(undefined), { settings: DEFAULT_SETTINGS, problems: [] });
  });

  it('are read, seconds as milliseconds', () => {
    const { settings, problems } = parseSettings({
      maxConcurrent: 2,
      stopGraceInterrupt: 0.5,
      stopGraceTerminate: 9999,
      claude: { command: '/opt/claude', args: ['--model', 'x'] },
      customAgents: [{ id: 'mine', name: 'Mine', command: ['mine', '${prompt}'] }],
    });
    assert.deepEqual(problems, []);
    assert.equal(settings.maxConcurrent, 2);
    assert.deepEqual(settings.grace, { interrupt: 500, terminate: 600_000 });
    assert.deepEqual(settings.programs['claude'], { command: '/opt/claude', args: ['--model', 'x'] });
    assert.equal(settings.customAgents[0]?.id, 'mine');
  });

  it('leave out what is wrong, name it, and keep the rest', () => {
    const { settings, problems } = parseSettings({
      maxConcurrent: 'many',
      branchName: '',
      codex: { args: 'one' },
      customAgents: [{ id: 'BAD ID', name: 'x', command: ['x'] }],
      worktreeFolder: '/w',
    });
    assert.equal(problems.length, 4);
    assert.ok(problems.some((problem) => problem.includes('treeline.maxConcurrent')));
    assert.equal(settings.maxConcurrent, DEFAULT_SETTINGS.maxConcurrent);
    assert.equal(settings.branchName, DEFAULT_SETTINGS.branchName);
    assert.equal(settings.worktreeFolder, '/w');
    assert.deepEqual(settings.customAgents, []);
  });
});
