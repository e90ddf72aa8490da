import assert from 'node:assert/strict';
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
