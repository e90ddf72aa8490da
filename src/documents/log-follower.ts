import * as vscode from 'vscode';
import { Coalescer } from '../views/coalescer.ts';
import { LOG_SCHEME, revealEnd } from './log-documents.ts';
import type { LogDocuments } from './log-documents.ts';

const AT_END = 'treeline.logsAtEnd';
/** That a reader has left the end, or come back to it, is written down at most this often: ms. */
const NOTE_MS = 500;

/** Keeps editors of logs at the end while their reader is there, and leaves them where they are otherwise. */
export class LogFollower implements vscode.Disposable {
  /**
   * The logs whose readers are at the end, by path. An editor that is restored stands at the line where its reader was; what
   * was printed since then lies below it, and nothing else tells that this was the end.
   */
  readonly #atEnd: Set<string>;
  /** Those at the end when the window before this one closed, until they are met. */
  readonly #restored: Set<string>;
  /** The number of lines each log had before its last change. */
  readonly #lines = new WeakMap<vscode.TextDocument, number>();
  readonly #disposables: vscode.Disposable;

  /** @param memory of this workspace. */
  constructor(logs: LogDocuments, memory: vscode.Memento) {
    this.#restored = new Set(stringsOf(memory.get(AT_END)));
    this.#atEnd = new Set(this.#restored);
    const noted = new Coalescer<string>(NOTE_MS, () => void memory.update(AT_END, [...this.#atEnd]));
    const note = (path: string, atEnd: boolean): void => {
      if (this.#atEnd.has(path) !== atEnd) {
        this.#atEnd[atEnd ? 'add' : 'delete'](path);
        noted.add([path]);
      }
    };
    this.#disposables = vscode.Disposable.from(
      noted,
      vscode.window.onDidChangeVisibleTextEditors((editors) => this.#meet(editors)),
      vscode.window.onDidChangeTextEditorVisibleRanges(({ textEditor: { document }, visibleRanges }) => {
        if (document.uri.scheme === LOG_SCHEME) {
          note(document.uri.path, isAtEnd(visibleRanges, document.lineCount));
        }
      }),
      vscode.workspace.onDidOpenTextDocument((document) => this.#note(document)),
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        if (document.uri.scheme === LOG_SCHEME && contentChanges.length > 0) {
          this.#follow(document);
        }
      }),
      vscode.workspace.onDidCloseTextDocument((document) => {
        if (document.uri.scheme === LOG_SCHEME) {
          logs.closed(document.uri);
          note(document.uri.path, false);
        }
      }),
    );
    vscode.workspace.textDocuments.forEach((document) => this.#note(document));
    this.#meet(vscode.window.visibleTextEditors);
  }

  dispose(): void {
    this.#disposables.dispose();
  }

  /** Brings editors that come back with the window to the end, where their readers were. */
  #meet(editors: readonly vscode.TextEditor[]): void {
    for (const editor of editors) {
      const { scheme, path } = editor.document.uri;
      if (scheme === LOG_SCHEME && this.#restored.delete(path)) {
        revealEnd(editor);
      }
    }
  }

  #note(document: vscode.TextDocument): void {
    if (document.uri.scheme === LOG_SCHEME) {
      this.#lines.set(document, document.lineCount);
    }
  }

  #follow(document: vscode.TextDocument): void {
    // The editor's ranges are still those from before the change.
    const before = this.#lines.get(document) ?? 0;
    for (const editor of vscode.window.visibleTextEditors) {
      if (editor.document === document && isAtEnd(editor.visibleRanges, before)) {
        revealEnd(editor);
      }
    }
    this.#note(document);
  }
}

function isAtEnd(visible: readonly vscode.Range[], lines: number): boolean {
  return (visible.at(-1)?.end.line ?? 0) >= lines - 2;
}

function stringsOf(stored: unknown): readonly string[] {
  return Array.isArray(stored) ? stored.filter((one) => typeof one === 'string') : [];
}
