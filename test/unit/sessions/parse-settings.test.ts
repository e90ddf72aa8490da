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
      stopGraceTerminate: 600,
      claude: { command: '/opt/claude', args: ['--model', 'x'] },
      customAgents: [{ id: 'mine', name: 'Mine', command: ['mine', '${prompt}'] }],
    });
    assert.deepEqual(problems, []);
    assert.equal(settings.maxConcurrent, 2);
    assert.deepEqual(settings.grace, { interrupt: 500, terminate: 600_000 });
    assert.deepEqual(settings.programs['claude'], { command: '/opt/claude', args: ['--model', 'x'] });
    assert.equal(settings.customAgents[0]?.id, 'mine');
  });

  it('are whole milliseconds, however many decimals the seconds have', () => {
    for (const [seconds, ms] of [
      [16.1, 16_100],
      [2.01, 2010],
      [32.2, 32_200],
      [0.0004, 0],
    ] as const) {
      assert.equal(parseSettings({ stopGraceInterrupt: seconds }).settings.grace.interrupt, ms);
      assert.equal(parseSettings({ stopGraceTerminate: seconds }).settings.grace.terminate, ms);
    }
  });

  it('are cut to their limits, and say so', () => {
    const { settings, problems } = parseSettings({ stopGraceTerminate: 9999, maxConcurrent: 0, warmWorktrees: 11 });
    assert.deepEqual([settings.grace.terminate, settings.maxConcurrent, settings.warmWorktrees], [600_000, 1, 10]);
    assert.deepEqual(problems, [
      'The setting treeline.maxConcurrent must be a whole number from 1 to 100; Treeline uses 1 until you change it.',
      'The setting treeline.warmWorktrees must be a whole number from 0 to 10; Treeline uses 10 until you change it.',
      'The setting treeline.stopGraceTerminate must be a number from 0 to 600; Treeline uses 600 until you change it.',
    ]);
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
