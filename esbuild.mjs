// Builds everything that ships into dist/, and on request the extension-host tests into dist-test/.
//   node esbuild.mjs [--production] [--host-tests] [--watch] [--out=FOLDER]
import { context } from 'esbuild';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('.', import.meta.url));
const production = process.argv.includes('--production');
const hostTests = process.argv.includes('--host-tests');
const watch = process.argv.includes('--watch');
const dist = path.resolve(root, process.argv.find((arg) => arg.startsWith('--out='))?.slice('--out='.length) ?? 'dist');

/**
 * Gives src/platform/build.ts the id of the build. It is made anew whenever a source changes, in a watched build too: every
 * bundle of one build has the same one.
 * @type {import('esbuild').Plugin}
 */
const buildId = {
  name: 'build-id',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]src[\\/]platform[\\/]build\.ts$/ }, () => {
      const sources = readdirSync(path.join(root, 'src'), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => path.join(parentPath, name));
      const files = [...sources, path.join(root, 'package.json'), path.join(root, 'package-lock.json')].sort();
      return { contents: `export const BUILD = ${JSON.stringify(idOf(files))};`, loader: 'js', watchFiles: files };
    });
  },
};

/** The version, and a digest of what the build is made from. */
function idOf(files) {
  const hash = createHash('sha256');
  for (const file of files) {
    const content = readFileSync(file);
    const name = path.relative(root, file).split(path.sep).join('/');
    hash.update(JSON.stringify([name, content.length])).update(content);
  }
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  return `${version}-${hash.digest('hex').slice(0, 16)}`;
}

/** @type {import('esbuild').BuildOptions} */
const common = {
  absWorkingDir: root,
  bundle: true,
  minify: production,
  sourcemap: production ? false : 'linked',
  // Licences stand in a file of their own: see writeNotices.
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
  plugins: [buildId],
};

/** For the hosts that Treeline supports: VS Code 1.101 and newer run Node 22. */
/** @type {import('esbuild').BuildOptions} */
const node = {
  ...common,
  platform: 'node',
  format: 'cjs',
  target: 'node22',
  external: ['vscode'],
  // Dependencies that are ES modules only read import.meta.url, which a CommonJS bundle has to be given.
  define: {
    'import.meta.url': 'importMetaUrl',
    'import.meta.dirname': '__dirname',
  },
  banner: { js: "'use strict';const importMetaUrl=require('node:url').pathToFileURL(__filename).href;" },
  // Prefer a package's ES module: it is what tree shaking works on.
  mainFields: ['module', 'main'],
};

/**
 * A program. It names its source map by a whole address: what outlives a window runs from a copy elsewhere.
 * @returns {import('esbuild').BuildOptions}
 */
function program(source, name) {
  const outfile = path.join(dist, name);
  const footer = production ? {} : { js: `//# sourceMappingURL=${pathToFileURL(`${outfile}.map`).href}` };
  return { ...node, entryPoints: [source], outfile, sourcemap: production ? false : 'external', footer };
}

const bundles = [
  program('src/extension.ts', 'extension.cjs'),
  program('src/keeper/main.ts', 'keeper.cjs'),
  program('src/hosts/detached.ts', 'steward.cjs'),
  program('src/hosts/command.ts', 'treeline.cjs'),
  program('src/timeline/worker.ts', 'indexer.cjs'),
  {
    ...common,
    platform: 'browser',
    format: 'iife',
    target: 'chrome132',
    entryPoints: ['webview/main.ts'],
    outfile: path.join(dist, 'webview.js'),
  },
  { ...common, entryPoints: ['webview/main.css'], outfile: path.join(dist, 'webview.css') },
];

if (hostTests) {
  const tests = readdirSync(path.join(root, 'test/host')).filter((name) => name.endsWith('.test.ts'));
  bundles.push({
    ...node,
    minify: false,
    sourcemap: 'inline',
    external: ['vscode', 'mocha'],
    entryPoints: ['test/host/index.ts', ...tests.map((name) => `test/host/${name}`)],
    outbase: 'test/host',
    outdir: 'dist-test/host',
    outExtension: { '.js': '.cjs' },
  });
}

/** Files that are loaded at run time, beside the bundles. */
const copied = [
  'node_modules/sql.js/dist/sql-wasm.wasm',
  'node_modules/@vscode/codicons/dist/codicon.css',
  'node_modules/@vscode/codicons/dist/codicon.ttf',
];

if (production) rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
for (const file of copied) copyFileSync(path.join(root, file), path.join(dist, path.basename(file)));

const inputs = [...copied];
for (const options of bundles) {
  const build = await context(options);
  const { metafile } = await build.rebuild();
  inputs.push(...Object.keys(metafile?.inputs ?? {}));
  if (watch) await build.watch();
  else await build.dispose();
}
writeNotices(inputs);

/** Writes the licences of the packages that went into the bundles, found by the files that did. */
function writeNotices(files) {
  const packages = new Set(files.flatMap((file) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []));
  const notices = [...packages].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(path.join(root, folder, 'package.json'), 'utf8'));
    const texts = readdirSync(path.join(root, folder)).filter((file) => /^licen[cs]e/i.test(file));
    const text = texts.map((file) => readFileSync(path.join(root, folder, file), 'utf8').trim()).join('\n\n');
    return `${name} ${version} (${license})\n\n${text}\n`;
  });
  writeFileSync(path.join(dist, 'third-party-notices.txt'), notices.join(`\n${'-'.repeat(80)}\n\n`));
}
