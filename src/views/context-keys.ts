import * as vscode from 'vscode';
import { errorText } from '../platform/errors.ts';
import { sessionsLayout, showsArchived } from './editor-settings.ts';
import { disposable } from './services.ts';
import type { Services } from './services.ts';
import type { SessionsTree } from './sessions-tree.ts';

/** Sets what `when` clauses and welcome views ask for: `treeline.state`, `treeline.noAgent`, `treeline.layout`. */
export class ContextKeys implements vscode.Disposable {
  readonly #services: Services;
  readonly #tree: SessionsTree;
  readonly #disposables: vscode.Disposable[];
  #opened = false;
  #agentsLooked = false;

  constructor(services: Services, tree: SessionsTree) {
    this.#services = services;
    this.#tree = tree;
    this.#disposables = [
      disposable(
        services.treeline.onDidChange(({ repositories }) => {
          if (repositories) {
            this.#opened = true;
            this.#update();
          }
        }),
      ),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration('treeline')) {
          this.#update();
          this.#agentsLooked = false;
          this.#lookForAgents(tree.view.visible);
        }
      }),
      tree.view.onDidChangeVisibility(({ visible }) => this.#lookForAgents(visible)),
    ];
    this.#lookForAgents(tree.view.visible);
    this.#update();
  }

  dispose(): void {
    vscode.Disposable.from(...this.#disposables).dispose();
  }

  /** Looks for the agents' programs when the view is first seen: that starts each of them once. */
  #lookForAgents(visible: boolean): void {
    if (!visible || this.#agentsLooked) {
      return;
    }
    this.#agentsLooked = true;
    this.#services.treeline.agents().then(
      (agents) => set('treeline.noAgent', !agents.some((agent) => agent.found)),
      (error: unknown) => this.#services.log.error(`The agents could not be looked for: ${errorText(error)}`),
    );
  }

  #update(): void {
    set('treeline.layout', sessionsLayout());
    set('treeline.showArchived', showsArchived());
    const { repositories } = this.#services.treeline;
    if (!this.#opened) {
      this.#show('loading');
      return;
    }
    if (repositories.length === 0) {
      this.#show('noRepository');
      return;
    }
    this.#show('loading');
    void Promise.allSettled(repositories.map(({ ready }) => ready)).then(() => {
      if (this.#services.treeline.repositories === repositories) {
        this.#show('ready');
      }
    });
  }

  #show(state: 'loading' | 'noRepository' | 'ready'): void {
    set('treeline.state', state);
    this.#tree.showLoading(state === 'loading');
  }
}

function set(key: string, value: unknown): void {
  void vscode.commands.executeCommand('setContext', key, value);
}
