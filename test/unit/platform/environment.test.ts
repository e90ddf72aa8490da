import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { it } from 'node:test';
import { agentEnvironment } from '../../../src/platform/environment.ts';

it('an agent gets the user’s environment', () => {
  const users = {
    PATH: '/usr/bin',
    HOME: '/home/u',
    LANG: 'de_DE.UTF-8',
    ANTHROPIC_API_KEY: 'k',
    BROWSER: 'firefox',
    GIT_ASKPASS: '/usr/bin/ksshaskpass',
    NODE_OPTIONS: '--max-old-space-size=8192',
    TERM_PROGRAM: 'iTerm.app',
    TERM_PROGRAM_VERSION: '3',
    EMPTY: '',
    __proto__x: 'y',
  };
  assert.deepEqual(agentEnvironment(users), users);
  assert.deepEqual(agentEnvironment({ A: undefined }), {});
});

it('an agent gets nothing of the host', () => {
  const server = '/opt/server/lib/vscode';
  const host = {
    VSCODE_IPC_HOOK_CLI: '/run/user/1/vscode-ipc.sock',
    VSCODE_ESM_ENTRYPOINT: 'vs/workbench/api/node/extensionHostProcess',
    VSCODE_GIT_ASKPASS_NODE: '/opt/node',
    vscode_nls_config: '{}',
    ELECTRON_RUN_AS_NODE: '1',
    CODE_SERVER_SESSION_SOCKET: '/s',
    CODE_SERVER_PARENT_PID: '1',
    NODE_EXEC_PATH: '/opt/node',
    CHROME_DESKTOP: 'code.desktop',
    BROWSER: `${server}/bin/helpers/browser.sh`,
    GIT_ASKPASS: `${server}/extensions/git/dist/askpass.sh`,
    SSH_ASKPASS: `${server}/extensions/git/dist/ssh-askpass.sh`,
    NODE_OPTIONS: '--require /x/ms-vscode.js-debug/src/bootloader.js --inspect-publish-uid=http',
    TERM_PROGRAM: 'vscode',
    TERM_PROGRAM_VERSION: '1.139.1',
    ZDOTDIR: '/tmp/u-vscode-zsh',
  };
  assert.deepEqual(agentEnvironment({ ...host, HOME: '/home/u' }), { HOME: '/home/u' });
});

it('an agent gets nothing that points its git at another repository', () => {
  const local = execFileSync('git', ['rev-parse', '--local-env-vars'], { encoding: 'utf8' }).trim().split('\n');
  assert.ok(local.includes('GIT_INDEX_FILE'));
  const more = ['GIT_NAMESPACE', 'GIT_QUARANTINE_PATH', 'GIT_REFLOG_ACTION', 'GIT_CONFIG_KEY_0', 'GIT_CONFIG_VALUE_12'];
  const all = Object.fromEntries([...local, ...more, 'git_dir'].map((name) => [name, '/elsewhere']));
  assert.deepEqual(agentEnvironment(all), {});
});

it('an agent gets what the user set for every git', () => {
  const users = {
    GIT_AUTHOR_NAME: 'U',
    GIT_COMMITTER_EMAIL: 'u@example.invalid',
    GIT_SSH_COMMAND: 'ssh -i key',
    GIT_TERMINAL_PROMPT: '0',
    GIT_PAGER: 'less',
    GIT_EDITOR: 'vim',
    GIT_EXEC_PATH: '/opt/git/libexec/git-core',
    GIT_CONFIG_GLOBAL: '/home/u/.gitconfig',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CEILING_DIRECTORIES: '/home',
    GIT_LFS_SKIP_SMUDGE: '1',
  };
  assert.deepEqual(agentEnvironment(users), users);
});

it('an agent gets back what the host has put aside', () => {
  assert.deepEqual(agentEnvironment({ VSCODE_NODE_OPTIONS: '--no-warnings' }), { NODE_OPTIONS: '--no-warnings' });
  assert.deepEqual(
    agentEnvironment({
      GTK_PATH: '/snap/code/gtk',
      GTK_PATH_VSCODE_SNAP_ORIG: '',
      XDG_DATA_DIRS: '/snap/code/share',
      XDG_DATA_DIRS_VSCODE_SNAP_ORIG: '/usr/share',
    }),
    { XDG_DATA_DIRS: '/usr/share' },
  );
});
