import * as vscode from 'vscode';
import { onClick } from './call.ts';

/** What happens with a prompt that is written in an editor. */
export interface PromptUse {
  /** The action in the user's words, such as `Spawn Claude Code with This Prompt`. */
  readonly title: string;
  /** Resolves with whether the prompt was used; the document is closed then. */
  readonly run: (prompt: string) => Promise<boolean>;
}

/**
 * Prompts that do not fit into an input box: untitled Markdown documents with the action that uses them, as a code lens and in
 * the editor's title (context key `treeline.promptDocuments`).
 */
export class PromptDocuments implements vscode.CodeLensProvider, vscode.Disposable {
  readonly #uses = new Map<string, PromptUse>();
  readonly #changed = new vscode.EventEmitter<void>();
  readonly onDidChangeCodeLenses = this.#changed.event;
  readonly #disposables: vscode.Disposable;

  constructor() {
    this.#disposables = vscode.Disposable.from(
      this.#changed,
      vscode.languages.registerCodeLensProvider({ scheme: 'untitled', language: 'markdown' }, this),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => {
        if (this.#uses.delete(uri.toString())) {
          this.#tell();
        }
      }),
    );
  }

  dispose(): void {
    this.#disposables.dispose();
  }

  /** Opens a new document that starts with `text`. */
  async open(text: string, use: PromptUse): Promise<vscode.Uri> {
    const document = await vscode.workspace.openTextDocument({ language: 'markdown', content: text });
    this.#uses.set(document.uri.toString(), use);
    this.#tell();
    await vscode.window.showTextDocument(document);
    return document.uri;
  }

  /** The use of a document that `open` made. */
  use(uri: vscode.Uri): PromptUse | undefined {
    return this.#uses.get(uri.toString());
  }

  /** Uses the prompt and closes its document. */
  async submit(document: vscode.TextDocument, use: PromptUse): Promise<void> {
    if (!(await use.run(document.getText()))) {
      return;
    }
    // The prompt is stored with its turn: closing must not ask to save it, nor take the focus from what the user does by now.
    // An untitled document that is empty closes so.
    const emptied = new vscode.WorkspaceEdit();
    emptied.delete(document.uri, new vscode.Range(0, 0, document.lineCount, 0));
    await vscode.workspace.applyEdit(emptied);
    const uri = document.uri.toString();
    const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
    await vscode.window.tabGroups.close(
      tabs.filter(({ input }) => input instanceof vscode.TabInputText && input.uri.toString() === uri),
      true,
    );
  }

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    const use = this.use(document.uri);
    return use === undefined
      ? []
      : [
          new vscode.CodeLens(
            new vscode.Range(0, 0, 0, 0),
            onClick(`$(rocket) ${use.title}`, 'submitPrompt', document.uri),
          ),
        ];
  }

  #tell(): void {
    this.#changed.fire();
    void vscode.commands.executeCommand('setContext', 'treeline.promptDocuments', [...this.#uses.keys()]);
  }
}
