import type { PageMessage } from '../src/protocol/timeline.ts';

export type LinkTarget = Extract<PageMessage, { type: 'openFile' | 'openLink' }>;

/**
 * What a link in agent text leads to: the web (http, https), a file with an optional line (`src/a.ts#L10`, `/repo/a.ts:10`,
 * `file:///repo/a.ts`), or nothing at all (any other scheme, an anchor).
 */
export function linkTarget(href: string): LinkTarget | undefined {
  if (/^https?:\/\/[^\s/]/i.test(href)) {
    return { type: 'openLink', href };
  }
  const isFile = /^file:\/\//i.test(href);
  const scheme = /^[a-z][a-z0-9+.-]+:/i.exec(href)?.[0];
  // `a.ts:10` has a colon and no scheme; `C:\a.ts` begins with a single letter.
  if (
    href.startsWith('#') ||
    href.startsWith('//') ||
    (scheme !== undefined && !isFile && !/^[^/?#]*:\d+/.test(href))
  ) {
    return undefined;
  }
  return fileTarget(decode(isFile ? href.replace(/^file:\/\/(localhost)?/i, '') : href));
}

function fileTarget(text: string): LinkTarget | undefined {
  const { path = '', line } = /^(?<path>.+?)(?:#L|:)(?<line>\d{1,9})(?:[-:,].*)?$/.exec(text)?.groups ?? { path: text };
  const file = line === undefined ? path.replace(/#.*$/, '') : path;
  if (file === '' || file.length > 4096 || file.includes('\0')) {
    return undefined;
  }
  const number = Number(line ?? 0);
  return { type: 'openFile', path: file, ...(number > 0 && { line: number }) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
