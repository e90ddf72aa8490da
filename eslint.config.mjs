import tseslint from 'typescript-eslint';

/**
 * The folders of src/ that know nothing of `vscode`, lowest first. A folder may import itself and what stands before it.
 * Above them stand the folders that touch the `vscode` API.
 */
const layers = [
  ...[
    'words',
    'platform',
    'git',
    'store',
    'keeper',
    'agents',
    'protocol',
    'timeline',
    'drivers',
    'sessions',
    'steward',
  ],
  'hosts',
];
/** Folders that stand side by side: neither may import the other. */
const beside = [['timeline', 'drivers']];
const editorLayers = ['views', 'documents', 'commands'];
const order = [...layers, ...editorLayers];

const RULE = '@typescript-eslint/no-restricted-imports';

const vscodeBanned = {
  name: 'vscode',
  message: 'Only src/extension.ts, src/views, src/commands and src/documents may use the vscode API.',
};

const keeperDoor = {
  regex: '/keeper/(?!(client|protocol|rescue)\\.ts$)',
  message: 'The keeper is another process: use keeper/client.ts, keeper/rescue.ts or keeper/protocol.ts.',
};

/** What a file in the folder may not import: everything above it, and what stands beside it. */
function upwards(folder) {
  const neighbours = beside.filter((row) => row.includes(folder)).flat();
  const others = [...order.slice(order.indexOf(folder) + 1), ...neighbours];
  const above = others.filter((one) => one !== folder);
  return {
    regex: [...above.map((one) => `/${one}/`), '/extension\\.ts$'].join('|'),
    message: `src/${folder} may import only what stands below it (ARCHITECTURE.md).`,
  };
}

function restrict(files, paths, patterns) {
  return { files, rules: { [RULE]: ['error', { paths, patterns }] } };
}

const layerRules = [
  ...order.map((folder) => {
    const patterns = [upwards(folder)];
    if (order.indexOf(folder) > order.indexOf('keeper')) patterns.push(keeperDoor);
    return restrict([`src/${folder}/**/*.ts`], layers.includes(folder) ? [vscodeBanned] : [], patterns);
  }),
  restrict(
    ['src/protocol/**/*.ts'],
    [vscodeBanned],
    [
      {
        // The rule takes a type that one pattern allows for allowed by all: this one leaves what stands above to the next.
        regex: `^(?!vscode$|\\./|.*(?:${upwards('protocol').regex}))`,
        allowTypeImports: true,
        message: 'src/protocol takes only types from elsewhere.',
      },
      upwards('protocol'),
    ],
  ),
  restrict(
    ['webview/**/*.ts'],
    [vscodeBanned],
    [{ regex: '/src/(?!protocol/)', message: 'The webview shares src/protocol with the host, and nothing else.' }],
  ),
];

const noShell = [
  {
    selector: "Property[key.name='shell']:not([value.value=false])",
    message: 'No shell, ever: pass an argv array.',
  },
  {
    selector:
      'ImportDeclaration[source.value=/^(node:)?child_process$/] ImportSpecifier[imported.name=/^exec(Sync)?$/]',
    message: 'exec starts a shell: use spawn or execFile with an argv array.',
  },
];

const onePath = {
  selector: 'ImportDeclaration[source.value=/^(node:)?path(\\/(posix|win32))?$/] > ImportSpecifier',
  message: "Write: import path from 'node:path'.",
};

export default tseslint.config(
  { ignores: ['dist/', 'dist-test/', '.cache/', '**/node_modules/', '**/fixtures/', '**/*.mjs'] },
  {
    files: ['**/*.ts', '**/*.mts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: 'node:test', name: ['test', 'it', 'describe', 'suite', 'before', 'after'] },
          ],
        },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      'no-restricted-syntax': ['error', ...noShell, onePath],
      // A body stands on the line of its `if`, or in braces.
      curly: ['error', 'multi-line'],
      eqeqeq: 'error',
    },
  },
  ...layerRules,
  {
    files: ['test/**/*.ts', 'test/**/*.mts'],
    rules: {
      // A test states what it knows of its own data.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // What a set-up function returns is taken apart; nothing in it is a class.
      '@typescript-eslint/unbound-method': 'off',
    },
  },
);
