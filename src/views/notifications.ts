import * as vscode from 'vscode';
import { STATUS_LOOKS } from '../protocol/statuses.ts';
import { lastTurn } from '../store/lifecycle.ts';
import type { Session } from '../store/model.ts';
import { notificationLevel } from './editor-settings.ts';
import { told } from './sayings.ts';
import { linkless, shorten } from './plain.ts';
import { allSessions, disposable, findSession } from './services.ts';
import type { Found, Services } from './services.ts';
import { statusLabel } from './words.ts';

/** The user's way from a notification to what it is about. */
export interface NotificationActions {
  /** Whether the user sees the session anyway. */
  shows(session: string): boolean;
  openTimeline(session: string): void;
  startFresh(session: string): void;
}

/** Tells the user, sparingly, of a session that needs them: one message when it comes to that, none for what they see anyway. */
export class Notifications implements vscode.Disposable {
  readonly #services: Services;
  readonly #actions: NotificationActions;
  /** The last status told of, or seen at the start, by session. */
  readonly #told = new Map<string, string>();
  readonly #loaded = new Set<string>();
  readonly #subscription: vscode.Disposable;

  constructor(services: Services, actions: NotificationActions) {
    this.#services = services;
    this.#actions = actions;
    this.#subscription = disposable(
      services.treeline.onDidChange(({ repositories, sessions }) => {
        if (repositories) {
          this.#takeStock();
        }
        for (const id of sessions) {
          const found = findSession(services.treeline, id);
          if (found !== undefined && this.#loaded.has(found.repository.repository.commonDir)) {
            this.#look(found);
          }
        }
      }),
    );
    this.#takeStock();
  }

  dispose(): void {
    this.#subscription.dispose();
  }

  /** What was so before this window looked is no news. */
  #takeStock(): void {
    for (const { repository, ready } of this.#services.treeline.repositories) {
      void ready.then(() => {
        for (const { session } of allSessions(this.#services.treeline)) {
          if (!this.#told.has(session.id)) {
            this.#told.set(session.id, moment(session));
          }
        }
        this.#loaded.add(repository.commonDir);
      });
    }
  }

  #look({ session, repository }: Found): void {
    if (session.archive !== undefined) {
      return; // What it was told of before is no news when it is back.
    }
    const now = moment(session);
    if (this.#told.get(session.id) === now) {
      return;
    }
    this.#told.set(session.id, now);
    const unknown = lastTurn(session)?.judgement?.unknownSession === true;
    if (this.#wanted({ session, repository }) && (unknown || !this.#actions.shows(session.id))) {
      void this.#tell(session, unknown);
    }
  }

  #wanted({ session, repository }: Found): boolean {
    const { group, problem } = STATUS_LOOKS[session.status];
    // With several windows on one repository, the one speaks that the user looks at, and the one whose turn it is.
    const ours = vscode.window.state.focused || repository.speaksFor(session);
    switch (notificationLevel()) {
      case 'off':
        return false;
      case 'needsAttention':
        return ours && (group === 'needs-attention' || problem === true);
      case 'all':
        return ours && group !== 'working';
    }
  }

  async #tell(session: Session, unknown: boolean): Promise<void> {
    const open = vscode.l10n.t('Open Timeline');
    const fresh = vscode.l10n.t('Start Fresh');
    const name = linkless(session.name);
    const text = unknown
      ? vscode.l10n.t('{0} no longer recognizes the conversation of {1}.', linkless(session.agent.name), name)
      : `${name}: ${statusLabel(session.status, vscode.l10n.t)}. ${shorten(linkless(told(session.evidence.detail)), 200)}`;
    const show = STATUS_LOOKS[session.status].problem
      ? vscode.window.showWarningMessage
      : vscode.window.showInformationMessage;
    const chosen = await show(text, ...(unknown ? [fresh, open] : [open]));
    if (chosen === open) {
      this.#actions.openTimeline(session.id);
    } else if (chosen === fresh) {
      this.#actions.startFresh(session.id);
    }
  }
}

/** One stretch of a session's life that is worth a message once. */
function moment(session: Session): string {
  return `${session.turns.length} ${session.status} ${lastTurn(session)?.judgement?.unknownSession === true}`;
}
