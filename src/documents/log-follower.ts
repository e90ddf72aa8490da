import * as vscode from 'vscode';
import { LOG_SCHEME, revealEnd } from './log-documents.ts';
import type { LogDocuments } from './log-documents.ts';

/** Keeps editors of logs at the end while their reader is there, and leaves them where they are otherwise. */
export class LogFollower implements vscode.Disposable {
  /** The number of lines each log had before its last change. */
  readonly #lines = new WeakMap<vscode.TextDocument, number>();
  readonly #disposables: vscode.Disposable;

  constructor(logs: LogDocuments) {
    this.#disposables = vscode.Disposable.from(
      vscode.workspace.onDidOpenTextDocument((document) => this.#note(document)),
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        if (document.uri.scheme === LOG_SCHEME && contentChanges.length > 0) {
          this.#follow(document);
        }
      }),
      vscode.workspace.onDidCloseTextDocument((document) => {
        if (document.uri.scheme === LOG_SCHEME) {
          logs.closed(document.uri);
        }
      }),
    );
    vscode.workspace.textDocuments.forEach((document) => this.#note(document));
  }

  dispose(): void {
    this.#disposables.dispose();
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
      const last = editor.visibleRanges.at(-1)?.end.line ?? 0;
      if (editor.document === document && last >= before - 2) {
        revealEnd(editor);
      }
    }
    this.#note(document);
  }
}
