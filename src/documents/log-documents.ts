import { unwatchFile, watchFile } from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import { RUN_FILES } from '../keeper/protocol.ts';
import { findSession } from '../views/services.ts';
import type { Services } from '../views/services.ts';
import { askTimeline } from '../views/timeline-use.ts';
import { logPath, parseLogPath } from './log-uri.ts';
import type { TextPart } from '../protocol/names.ts';
import type { LogSource } from './log-uri.ts';
import { WHOLE_LIMIT, earlier, later, positionOf, readWindow, sizeOf } from './log-window.ts';
import { ReadOnlyFiles } from './read-only-files.ts';
import type { LogText, LogWindow, Place } from './log-window.ts';

export const LOG_SCHEME = 'treeline-log';

/** While an editor shows a log, its file's size is looked at this often (ms): it works on every file system. */
const FOLLOW_MS = 500;

/** What is known of an open log. */
interface Shown {
  place: Place;
  window?: LogWindow;
  /** Counts what was shown: the editor reads a document again only when its time of modification is another. */
  version: number;
  /** How many lines of our own stand above the log's. */
  headLines: number;
}

/**
 * Read-only documents of what agents print: they follow the file, and show a window of one that is large. Only files in the
 * run folders of known sessions can be named.
 */
export class LogDocuments extends ReadOnlyFiles implements vscode.FileSystemProvider, vscode.Disposable {
  readonly #services: Services;
  readonly #changed = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  readonly onDidChangeFile = this.#changed.event;
  /** By path. */
  readonly #shown = new Map<string, Shown>();
  /** The logs of which a part is shown. */
  readonly #windowed = new Set<string>();

  constructor(services: Services) {
    super();
    this.#services = services;
  }

  dispose(): void {
    this.#changed.dispose();
  }

  uri(source: LogSource): vscode.Uri {
    const found = findSession(this.#services.treeline, source.session);
    const label = found?.session.branch.split('/').at(-1) ?? source.session;
    return vscode.Uri.from({ scheme: LOG_SCHEME, path: logPath(source, label) });
  }

  /** Opens a turn's stream at its end, or with the line at byte `at` selected. */
  async openStream(source: Extract<LogSource, { kind: 'stream' }>, at?: number): Promise<void> {
    const uri = this.uri(source);
    const file = await this.#file(uri, source);
    const shown = this.#state(uri);
    if (at === undefined) {
      await this.#move(uri, 'end');
      const editor = await showLog(uri);
      revealEnd(editor);
      return;
    }
    const { window } = shown;
    const { size } = await sizeOf(file);
    const seen = window === undefined ? size <= WHOLE_LIMIT : at >= window.from && at < window.to;
    if (!seen) {
      // Some lines before it are shown too.
      await this.#move(uri, Math.max(0, at - CONTEXT_BYTES));
    }
    const editor = await showLog(uri);
    const { line } = await positionOf(file, shown.window?.from ?? 0, at);
    const range = editor.document.lineAt(Math.min(line + shown.headLines, editor.document.lineCount - 1)).range;
    editor.selection = new vscode.Selection(range.start, range.start);
    editor.revealRange(range, vscode.TextEditorRevealType.InCenter);
    editor.selection = new vscode.Selection(range.start, range.end);
  }

  /** Opens the whole of a text that a timeline row shows a piece of. */
  async openText(session: string, seq: number, part: TextPart): Promise<void> {
    const uri = this.uri({ kind: 'row', session, seq, part });
    this.#touch(uri);
    await showLog(uri);
  }

  /** Shows another part of a large log. */
  async page(uri: vscode.Uri, to: 'earlier' | 'later' | 'end'): Promise<void> {
    const source = parseLogPath(uri.path);
    const shown = this.#shown.get(uri.path);
    if (source?.kind !== 'stream' || shown?.window === undefined) {
      return;
    }
    const { size } = await sizeOf(await this.#file(uri, source));
    const place = to === 'end' ? 'end' : to === 'earlier' ? earlier(shown.window) : later(shown.window, size);
    await this.#move(uri, place);
    const editor = vscode.window.visibleTextEditors.find((each) => each.document.uri.toString() === uri.toString());
    if (editor !== undefined && place === 'end') {
      revealEnd(editor);
    }
  }

  async stat(uri: vscode.Uri): Promise<vscode.FileStat> {
    const source = await this.#source(uri);
    const { version, window } = this.#state(uri);
    if (source.kind === 'row') {
      const { length } = Buffer.from(await this.#rowText(source));
      return { type: vscode.FileType.File, ctime: 0, mtime: version, size: length };
    }
    const { size, mtime } = await sizeOf(await this.#file(uri, source));
    // The editor warns of large files before it reads them: what counts is what it will get.
    const expected =
      size <= WHOLE_LIMIT || window === undefined ? Math.min(size, WHOLE_LIMIT) : window.to - window.from;
    return { type: vscode.FileType.File, ctime: 0, mtime: mtime + version, size: expected };
  }

  async readFile(uri: vscode.Uri): Promise<Uint8Array> {
    const source = await this.#source(uri);
    if (source.kind === 'row') {
      return Buffer.from(await this.#rowText(source));
    }
    const shown = this.#state(uri);
    const log = await readWindow(await this.#file(uri, source), shown.place, shown.window);
    shown.window = log.window;
    const head = headLine(log);
    this.#noteWindowed(uri, head !== '');
    shown.headLines = head === '' ? 0 : 1;
    return Buffer.from(head + log.text);
  }

  /** The editor calls this while it shows the document. */
  watch(uri: vscode.Uri): vscode.Disposable {
    const source = parseLogPath(uri.path);
    if (source?.kind !== 'stream') {
      return new vscode.Disposable(() => undefined);
    }
    let stop: (() => void) | undefined;
    let stopped = false;
    const begin = async (): Promise<void> => {
      const file = await this.#file(uri, source);
      if (!stopped) {
        const listener = (): void => {
          this.#changed.fire([{ type: vscode.FileChangeType.Changed, uri }]);
        };
        watchFile(file, { interval: FOLLOW_MS, persistent: false }, listener);
        stop = () => unwatchFile(file, listener);
      }
    };
    begin().catch((error: unknown) => this.#services.log.warn(`A log cannot be followed: ${String(error)}`));
    return new vscode.Disposable(() => {
      stopped = true;
      stop?.();
    });
  }

  /** Forgets where a closed log stood. */
  closed(uri: vscode.Uri): void {
    this.#shown.delete(uri.path);
    this.#noteWindowed(uri, false);
  }

  #state(uri: vscode.Uri): Shown {
    const known = this.#shown.get(uri.path);
    if (known !== undefined) {
      return known;
    }
    const fresh: Shown = { place: 'end', version: 0, headLines: 0 };
    this.#shown.set(uri.path, fresh);
    return fresh;
  }

  /** Moves a log's window; resolves when an open document shows it. */
  async #move(uri: vscode.Uri, place: Place): Promise<void> {
    const shown = this.#state(uri);
    if (shown.place === place && place === 'end') {
      return;
    }
    shown.place = place;
    delete shown.window;
    const open = vscode.workspace.textDocuments.find((document) => document.uri.toString() === uri.toString());
    const reloaded = open === undefined ? undefined : changeOf(open);
    this.#touch(uri);
    await reloaded;
  }

  /** Tells the menus which logs can be moved in. */
  #noteWindowed(uri: vscode.Uri, windowed: boolean): void {
    const key = uri.toString();
    if (this.#windowed.has(key) !== windowed) {
      this.#windowed[windowed ? 'add' : 'delete'](key);
      void vscode.commands.executeCommand('setContext', 'treeline.windowedLogs', [...this.#windowed]);
    }
  }

  #touch(uri: vscode.Uri): void {
    this.#state(uri).version += 1;
    this.#changed.fire([{ type: vscode.FileChangeType.Changed, uri }]);
  }

  async #source(uri: vscode.Uri): Promise<LogSource> {
    const source = parseLogPath(uri.path);
    // A document that is restored after a reload asks before its repository is open.
    await this.#services.loaded();
    if (source === undefined || findSession(this.#services.treeline, source.session) === undefined) {
      throw vscode.FileSystemError.FileNotFound(uri);
    }
    return source;
  }

  async #file(uri: vscode.Uri, source: Extract<LogSource, { kind: 'stream' }>): Promise<string> {
    await this.#services.loaded();
    const found = findSession(this.#services.treeline, source.session);
    if (found === undefined || source.turn > found.session.turns.length) {
      throw vscode.FileSystemError.FileNotFound(uri);
    }
    return path.join(found.repository.turnFolder(source.session, source.turn), RUN_FILES[source.stream]);
  }

  #rowText({ session, seq, part }: Extract<LogSource, { kind: 'row' }>): Promise<string> {
    return askTimeline(this.#services, session, (timelines) => timelines.text(session, seq, part));
  }
}

const CONTEXT_BYTES = 256 * 1024;
/** A document that does not change within this time (ms) has nothing new to show. */
const RELOAD_MS = 10_000;

function changeOf(document: vscode.TextDocument): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      subscription.dispose();
      resolve();
    };
    const timer = setTimeout(end, RELOAD_MS);
    const subscription = vscode.workspace.onDidChangeTextDocument((event) => {
      if (event.document === document && event.contentChanges.length > 0) {
        end();
      }
    });
  });
}

async function showLog(uri: vscode.Uri): Promise<vscode.TextEditor> {
  const document = await vscode.workspace.openTextDocument(uri);
  return vscode.window.showTextDocument(document, { preview: true });
}

/** Puts the caret at the end, where a log that grows keeps it. */
export function revealEnd(editor: vscode.TextEditor): void {
  const end = editor.document.lineAt(editor.document.lineCount - 1).range.end;
  editor.selection = new vscode.Selection(end, end);
  editor.revealRange(new vscode.Range(end, end));
}

/** Says which part of a large log is shown; empty when it is all there. */
function headLine({ window, size }: LogText): string {
  if (window.from === 0 && window.to === size) {
    return '';
  }
  const count = new Intl.NumberFormat(vscode.env.language);
  const [from, to, all] = [window.from, window.to, size].map((each) => count.format(each));
  return `${vscode.l10n.t('── bytes {0} to {1} of {2}; use the actions in the editor title to move ──', from ?? '', to ?? '', all ?? '')}\n`;
}
