/** The built page in a real Chromium, under the CSP that the extension gives it, with a stand-in for the host. */
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findChromium } from '../setup/browser.mjs';
import { THEMES } from './themes.ts';
import type { AddressInfo } from 'node:net';
import type { BrowserContextOptions, Page } from 'playwright-core';
import type { StandInHost } from './stand-in-host.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Body classes, such as a theme's, and more. */
export interface Opening {
  readonly theme?: keyof typeof THEMES;
  readonly bodyClass?: string;
  readonly width?: number;
  readonly height?: number;
  readonly options?: BrowserContextOptions;
}

/** An open page, and what went wrong in it. */
export interface Opened {
  readonly page: Page;
  readonly host: StandInHost;
  /** Uncaught errors, console errors, CSP violations. */
  readonly problems: string[];
  /** Addresses that the page asked for beyond its own four files. */
  readonly foreign: string[];
}

/** A browser with the built page. */
export interface Pages {
  open(host: StandInHost, opening?: Opening): Promise<Opened>;
  close(): Promise<void>;
}

/** A browser for the tests of one file. */
export function withPage(): Pages['open'] {
  let pages: Pages;
  before(async () => {
    pages = await startPages();
  });
  after(() => pages.close());
  return (host, opening) => pages.open(host, opening);
}

/** Builds the page, serves it, and starts a browser for it. */
export async function startPages(): Promise<Pages> {
  const files = await bundle();
  const server = createServer((request, response) => {
    const name = new URL(request.url ?? '/', 'http://page').pathname;
    const file = files.get(name);
    if (name === '/') {
      const { html, csp } = shell(origin);
      response
        .setHeader('content-security-policy', csp)
        .setHeader('content-type', 'text/html; charset=utf-8')
        .end(html);
    } else if (file !== undefined) {
      response.setHeader('content-type', file.type).end(file.body);
    } else {
      response.writeHead(404).end();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const browser = await chromium.launch({
    executablePath: findChromium() ?? 'chromium',
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
      ...['--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'],
    ],
  });

  const open: Pages['open'] = async (
    host,
    { theme = 'dark', bodyClass = '', width = 420, height = 900, options = {} } = {},
  ) => {
    const context = await browser.newContext({ viewport: { width, height }, timezoneId: 'UTC', ...options });
    const page = await context.newPage();
    const problems: string[] = [];
    const foreign: string[] = [];
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
    page.on('request', (request) => {
      const { pathname } = new URL(request.url());
      if (
        !request.url().startsWith(origin) ||
        (pathname !== '/' && pathname !== '/favicon.ico' && !files.has(pathname))
      ) {
        foreign.push(request.url());
      }
    });
    await page.exposeFunction('standInPost', (message: unknown) => {
      host.receive(message);
    });
    await page.addInitScript(standIn, { theme: THEMES[theme], bodyClass });
    let queue = Promise.resolve();
    host.connect((message) => {
      // In order, and without a word when the page has gone.
      queue = queue.then(() => page.evaluate((data) => window.postMessage(data), message)).catch(() => undefined);
    });
    await page.goto(origin);
    return { page, host, problems, foreign };
  };

  return {
    open,
    close: async () => {
      await browser.close();
      server.close();
    },
  };
}

/** The document that the extension serves (see the views), under the same policy. */
function shell(source: string): { html: string; csp: string } {
  const nonce = randomBytes(16).toString('base64');
  const csp = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${source} 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='`,
    `font-src ${source}`,
  ].join('; ');
  const html = `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Timeline</title>
<link rel="stylesheet" href="/codicon.css"><link rel="stylesheet" href="/webview.css"></head>
<body><div id="root" data-reconnecting="Reconnecting…"></div><script nonce="${nonce}" src="/webview.js"></script></body>
</html>`;
  return { html, csp };
}

/** What VS Code gives every webview: its API, the theme's variables and classes. Runs in the page, before its script. */
function standIn({ theme, bodyClass }: { theme: (typeof THEMES)['dark']; bodyClass: string }): void {
  const shared = window as unknown as Record<string, unknown>;
  shared['acquireVsCodeApi'] = () => ({
    postMessage: (message: unknown) => (shared['standInPost'] as (message: unknown) => void)(message),
    getState: () => JSON.parse(sessionStorage.getItem('state') ?? 'null') as unknown,
    setState: (state: unknown) => {
      sessionStorage.setItem('state', JSON.stringify(state));
    },
  });
  document.addEventListener('DOMContentLoaded', () => {
    document.body.className = `${theme.bodyClass} ${bodyClass}`;
    document.body.dataset['vscodeThemeKind'] = theme.kind;
    for (const [name, value] of Object.entries(theme.variables)) {
      document.documentElement.style.setProperty(`--vscode-${name}`, value);
    }
  });
  document.addEventListener('securitypolicyviolation', (event) => {
    console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`);
  });
}

async function bundle(): Promise<Map<string, { body: Uint8Array; type: string }>> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ['webview/main.ts', 'webview/main.css'],
    entryNames: 'webview',
    outdir: 'out',
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    target: 'chrome132',
    logLevel: 'warning',
  });
  const codicons = path.join(root, 'node_modules/@vscode/codicons/dist');
  const files = new Map(
    outputFiles.map(({ path: file, contents }) => [
      `/${path.basename(file)}`,
      { body: contents, type: file.endsWith('.css') ? 'text/css' : 'text/javascript' },
    ]),
  );
  files.set('/codicon.css', { body: readFileSync(path.join(codicons, 'codicon.css')), type: 'text/css' });
  files.set('/codicon.ttf', { body: readFileSync(path.join(codicons, 'codicon.ttf')), type: 'font/ttf' });
  return files;
}
