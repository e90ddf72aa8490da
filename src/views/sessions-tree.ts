import * as vscode from 'vscode';
import type { RepositorySessions } from '../sessions/service-types.ts';
import { settingId } from '../sessions/settings.ts';
import { Coalescer } from './coalescer.ts';
import { errorText } from '../platform/errors.ts';
import { fileItem } from './file-item.ts';
import { markdownText, oneLine } from './plain.ts';
import { Placements, groupId, groupsOf, inGroup, listedFirst, parentOf, placeOf } from './placement.ts';
import type { Session } from '../store/model.ts';
import type { Place } from './placement.ts';
import { allSessions, disposable, findSession, reader } from './services.ts';
import type { Found, Services } from './services.ts';
import { SessionChanges } from './session-changes.ts';
import { abilities, accessibleLabel, contextWords, description, tooltipLines } from './session-words.ts';
import { sessionsLayout, showsArchived } from './editor-settings.ts';
import type { GroupNode, MoreNode, SessionNode, SessionsNode } from './sessions-nodes.ts';
import { countGroups, groupLabel, statusIcon, statusLabel } from './words.ts';
import { onClick } from './view-commands.ts';

/**
 * The editor is told of changes at most this often. It shows the first change at once, and later ones only after 200 ms without
 * a further one (extHostTreeViews): told more often than that, it would show nothing new while an agent prints.
 */
const REFRESH_MS = 300;
/** The view says that it is loading only after this time: the message counts as a change, after which the editor waits. */
const LOADING_MS = 500;
/** Ages are looked over this often, while the view is visible. */
const AGES_MS = 30_000;

interface SessionLook {
  readonly label: string;
  /** Whether it has files to show under it. */
  readonly opens: boolean;
  readonly icon: string;
  readonly color: string;
  readonly description: string;
  /** What menus ask for. */
  readonly context: string;
  /** What a screen reader says. */
  readonly spoken: string;
}

/** The view of all sessions: its tree, badge, message and selection. */
export class SessionsTree implements vscode.TreeDataProvider<SessionsNode>, vscode.Disposable {
  readonly view: vscode.TreeView<SessionsNode>;
  readonly #services: Services;
  readonly #changes: SessionChanges;
  readonly #changed = new vscode.EventEmitter<SessionsNode[] | undefined>();
  readonly onDidChangeTreeData = this.#changed.event;
  readonly #nodes = new Map<string, SessionsNode>();
  readonly #placements = new Placements();
  /** The ids of the groups that are listed whole, however long they are. */
  readonly #whole = new Set<string>();
  /** The sessions' looks as the editor has them, and as it was last told that they changed. */
  readonly #shown = new Map<string, { readonly given: string; told: string }>();
  readonly #dirty: Coalescer<string>;
  readonly #disposables: { dispose(): unknown }[] = [];
  #ages: NodeJS.Timeout | undefined;
  #loading: NodeJS.Timeout | undefined;
  /** Kept, because a look into the settings for each of a thousand sessions would be felt. */
  #layout = sessionsLayout();
  #archived = showsArchived();

  constructor(services: Services) {
    this.#services = services;
    this.#changes = new SessionChanges((error) => services.log.error(errorText(error)));
    this.#dirty = new Coalescer(REFRESH_MS, (sessions) => this.#update(sessions));
    this.view = vscode.window.createTreeView('treeline.sessions', {
      treeDataProvider: this,
      showCollapseAll: true,
      canSelectMany: true,
    });
    this.#disposables.push(
      this.view,
      this.#changed,
      disposable(() => this.#dirty.dispose()),
      disposable(() => this.#changes.dispose()),
      disposable(() => clearInterval(this.#ages)),
      disposable(() => clearTimeout(this.#loading)),
      disposable(
        services.treeline.onDidChange(({ sessions }) => {
          for (const session of sessions) {
            this.#changes.touch(session);
          }
          this.#dirty.add(sessions);
        }),
      ),
      disposable(this.#changes.onDidChange((session) => this.#fire([session]))),
      this.view.onDidChangeVisibility(({ visible }) => this.#watchAges(visible)),
      this.view.onDidCollapseElement(({ element }) => {
        if (element.kind === 'session') {
          this.#changes.forget(element.session);
        }
      }),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (
          event.affectsConfiguration(settingId('sessionsLayout')) ||
          event.affectsConfiguration(settingId('showArchived'))
        ) {
          this.#layout = sessionsLayout();
          this.#archived = showsArchived();
          this.#rebuild();
        }
      }),
    );
    this.#watchAges(this.view.visible);
  }

  dispose(): void {
    vscode.Disposable.from(...this.#disposables).dispose();
  }

  /** Reads everything that is shown again, the sessions' files included. */
  refresh(): void {
    this.#changes.dispose();
    this.#whole.clear();
    this.#rebuild();
  }

  /** To be called when the list of repositories changes, and again when their sessions are known. */
  showLoading(loading: boolean): void {
    clearTimeout(this.#loading);
    if (loading) {
      this.#loading = setTimeout(() => (this.view.message = vscode.l10n.t('Loading sessions…')), LOADING_MS);
      return;
    }
    this.#rebuild();
    // An empty string clears the message; the typings do not allow undefined here.
    if (this.view.message !== '') {
      this.view.message = '';
    }
  }

  /** Selects a session in the view, if the view is visible. */
  async reveal(session: string): Promise<void> {
    const found = findSession(this.#services.treeline, session);
    if (!this.view.visible || found === undefined || this.#place(found) === undefined) {
      return;
    }
    // The editor waits with this for changes that it was told of, and knows no item before it was told of its group.
    this.#update(new Set([session]));
    const group = this.getParent(this.#sessionNode(session));
    if (group?.kind === 'group' && !this.#listed(group).some(({ id }) => id === session)) {
      this.#listWhole(group);
    }
    try {
      await this.view.reveal(this.#sessionNode(session), { select: true, focus: false });
    } catch (error) {
      // The session may have moved on meanwhile. Nobody needs to hear that a row was not selected.
      this.#services.log.debug(`Selecting ${session}: ${errorText(error)}`);
    }
  }

  /** Lists the sessions that stand behind a row, and goes to the first of them. */
  async showMore({ group }: MoreNode): Promise<void> {
    const first = inGroup(this.#sessions(group.repository), group.group)[this.#listed(group).length];
    this.#listWhole(group);
    if (first !== undefined) {
      await this.view.reveal(this.#sessionNode(first.id), { select: false, focus: true });
    }
  }

  getChildren(node?: SessionsNode): SessionsNode[] | Promise<SessionsNode[]> {
    switch (node?.kind) {
      case undefined:
        return this.#roots();
      case 'repository': {
        const repository = this.#repository(node.id);
        return repository === undefined ? [] : this.#inRepository(repository);
      }
      case 'group':
        return this.#inGroup(node);
      case 'session':
        return this.#files(node);
      case 'file':
      case 'more':
      case 'note':
        return [];
    }
  }

  getParent(node: SessionsNode): SessionsNode | undefined {
    switch (node.kind) {
      case 'repository':
        return undefined;
      case 'group':
        return this.#several() ? this.#repositoryNode(node.repository) : undefined;
      case 'session': {
        const found = findSession(this.#services.treeline, node.session);
        const place = found === undefined ? undefined : this.#place(found);
        return place === undefined ? undefined : this.#nodeOfPlace(place);
      }
      case 'more':
        return node.group;
      case 'file':
      case 'note':
        return this.#sessionNode(node.session);
    }
  }

  getTreeItem(node: SessionsNode): vscode.TreeItem {
    switch (node.kind) {
      case 'repository':
        return this.#repositoryItem(node.id);
      case 'group': {
        const item = new vscode.TreeItem(
          groupLabel(node.group, vscode.l10n.t),
          vscode.TreeItemCollapsibleState.Expanded,
        );
        item.id = node.id;
        item.description = String(this.#count(node));
        item.contextValue = 'group';
        return item;
      }
      case 'session':
        return this.#sessionItem(node);
      case 'file': {
        const found = findSession(this.#services.treeline, node.session);
        return found === undefined ? new vscode.TreeItem(node.change.path) : fileItem(node, found.session.worktree);
      }
      case 'more':
        return this.#moreItem(node);
      case 'note': {
        const item = new vscode.TreeItem(node.text);
        item.id = node.id;
        item.iconPath = new vscode.ThemeIcon('info');
        return item;
      }
    }
  }

  /** The tooltip is made when somebody asks for it: it says how old the evidence is. */
  resolveTreeItem(item: vscode.TreeItem, node: SessionsNode): vscode.TreeItem {
    const found = node.kind === 'session' ? findSession(this.#services.treeline, node.session) : undefined;
    if (found !== undefined) {
      item.tooltip = tooltip(found);
      // The editor keeps it until the row is told of: it is, at the session's next sign of life.
      this.#shown.delete(found.session.id);
    }
    return item;
  }

  #roots(): SessionsNode[] {
    const repositories = this.#services.treeline.repositories.filter((each) => this.#sessions(keyOf(each)).length > 0);
    return this.#several()
      ? repositories.map((repository) => this.#repositoryNode(keyOf(repository)))
      : repositories.flatMap((repository) => this.#inRepository(repository));
  }

  #inRepository(repository: RepositorySessions): SessionsNode[] {
    const sessions = this.#sessions(keyOf(repository));
    return this.#layout === 'flat'
      ? sessions.map((session) => this.#sessionNode(session.id))
      : groupsOf(sessions).map((group) => {
          const id = groupId(keyOf(repository), group);
          return this.#node(id, { kind: 'group', id, repository: keyOf(repository), group });
        });
  }

  #inGroup(node: GroupNode): SessionsNode[] {
    const sessions = this.#listed(node).map(({ id }) => this.#sessionNode(id));
    const more = `${node.id}#more`;
    return sessions.length === this.#count(node)
      ? sessions
      : [...sessions, this.#node(more, { kind: 'more', id: more, group: node })];
  }

  #listed({ id, repository, group }: GroupNode): readonly Session[] {
    const all = inGroup(this.#sessions(repository), group);
    return this.#whole.has(id) ? all : all.slice(0, listedFirst(group));
  }

  #listWhole(group: GroupNode): void {
    this.#whole.add(group.id);
    this.#fire([group.id]);
  }

  #count({ repository, group }: GroupNode): number {
    return inGroup(this.#sessions(repository), group).length;
  }

  #moreItem(node: MoreNode): vscode.TreeItem {
    const title = vscode.l10n.t('Show {0} More', this.#count(node.group) - this.#listed(node.group).length);
    const item = new vscode.TreeItem(title);
    item.id = node.id;
    item.iconPath = new vscode.ThemeIcon('ellipsis');
    item.command = onClick(title, 'showMoreSessions', node);
    return item;
  }

  async #files(node: SessionNode): Promise<SessionsNode[]> {
    const found = findSession(this.#services.treeline, node.session);
    if (found === undefined) {
      return [];
    }
    const note = (text: string): SessionsNode => ({
      kind: 'note',
      id: `${node.id}#note`,
      session: node.session,
      text,
    });
    try {
      const { files, more } = await this.#changes.get(found);
      const shown = files.map((change): SessionsNode => ({
        kind: 'file',
        id: `${node.id}#file:${change.path}`,
        session: node.session,
        change,
      }));
      if (shown.length === 0) {
        return [note(vscode.l10n.t('No changes yet'))];
      }
      return more ? [...shown, note(vscode.l10n.t('More files changed'))] : shown;
    } catch (error) {
      this.#services.log.warn(`Changes of ${node.session}: ${errorText(error)}`);
      return [note(oneLine(errorText(error)))];
    }
  }

  #sessionItem(node: SessionNode): vscode.TreeItem {
    const found = findSession(this.#services.treeline, node.session);
    if (found === undefined) {
      return new vscode.TreeItem(node.session);
    }
    const { session } = found;
    const look = this.#look(found);
    const item = new vscode.TreeItem(
      look.label,
      look.opens ? vscode.TreeItemCollapsibleState.Collapsed : vscode.TreeItemCollapsibleState.None,
    );
    item.id = node.id;
    item.iconPath = new vscode.ThemeIcon(look.icon, new vscode.ThemeColor(look.color));
    item.description = look.description;
    item.contextValue = look.context;
    item.accessibilityInformation = { label: look.spoken };
    item.command = onClick(vscode.l10n.t('Open Timeline'), 'openTimeline', session.id, { from: 'tree' });
    const given = JSON.stringify(look);
    this.#shown.set(session.id, { given, told: this.#shown.get(session.id)?.told ?? given });
    return item;
  }

  /** All that can be seen of a session's row and may change. */
  #look({ session, repository }: Found): SessionLook {
    const activity = repository.activity(session.id);
    const can = abilities(session);
    const { icon, color } = statusIcon(session.status);
    const person = reader();
    return {
      label: oneLine(session.name),
      opens: can.diff,
      icon,
      color,
      description: description(session, activity, person),
      context: contextWords(session, can),
      spoken: accessibleLabel(session, activity, person),
    };
  }

  /** Whether the editor is to hear of the session's row, which is noted: an agent that prints changes nothing of it. */
  #isNews(found: Found): boolean {
    const shown = this.#shown.get(found.session.id);
    if (shown === undefined) {
      return true;
    }
    const look = JSON.stringify(this.#look(found));
    if (shown.given === look && shown.told === look) {
      return false;
    }
    shown.told = look;
    return true;
  }

  #repositoryItem(key: string): vscode.TreeItem {
    const repository = this.#repository(key);
    const item = new vscode.TreeItem(
      oneLine(repository?.repository.name ?? key),
      vscode.TreeItemCollapsibleState.Expanded,
    );
    item.id = key;
    item.iconPath = new vscode.ThemeIcon('repo');
    item.contextValue = 'repository';
    if (repository !== undefined) {
      item.tooltip = repository.repository.root;
      item.description = String(this.#sessions(key).length);
    }
    return item;
  }

  /** Shows the whole tree anew. */
  #rebuild(): void {
    this.#placements.clear();
    this.#nodes.clear();
    this.#shown.clear();
    for (const found of allSessions(this.#services.treeline)) {
      this.#placements.move(found.session.id, this.#place(found));
    }
    this.#changed.fire(undefined);
    this.#updateBadge();
  }

  /** Shows what changed of these sessions, and nothing else. */
  #update(sessions: ReadonlySet<string>): void {
    const touched = new Set<string | undefined>();
    for (const id of sessions) {
      const found = findSession(this.#services.treeline, id);
      for (const node of this.#placements.move(id, found === undefined ? undefined : this.#place(found))) {
        if (node !== id || found === undefined || this.#isNews(found)) {
          touched.add(node);
        }
      }
      if (found === undefined) {
        this.#nodes.delete(id);
        this.#shown.delete(id);
        this.#changes.forget(id);
      }
    }
    this.#fire(touched);
    this.#updateBadge();
  }

  #fire(ids: Iterable<string | undefined>): void {
    const nodes: SessionsNode[] = [];
    for (const id of ids) {
      if (id === undefined) {
        this.#changed.fire(undefined);
        return;
      }
      const node = this.#nodes.get(id);
      if (node !== undefined) {
        nodes.push(node);
      }
    }
    if (nodes.length > 0) {
      this.#changed.fire(nodes);
    }
  }

  #updateBadge(): void {
    const counts = countGroups(allSessions(this.#services.treeline).map(({ session }) => session.status));
    const waiting = counts['needs-attention'];
    const tooltip =
      waiting === 1
        ? vscode.l10n.t('1 session needs attention')
        : vscode.l10n.t('{0} sessions need attention', waiting);
    if (this.view.badge?.value !== (waiting === 0 ? undefined : waiting)) {
      this.view.badge = waiting === 0 ? undefined : { value: waiting, tooltip };
    }
  }

  #watchAges(visible: boolean): void {
    clearInterval(this.#ages);
    if (visible) {
      this.#ages = setInterval(() => this.#refreshAges(), AGES_MS);
      this.#refreshAges();
    }
  }

  #refreshAges(): void {
    const aged = [...this.#shown.keys()].filter((id) => {
      const found = findSession(this.#services.treeline, id);
      return found !== undefined && this.#isNews(found);
    });
    this.#fire(aged);
  }

  /** The sessions of a repository that are to be seen. */
  #sessions(key: string): readonly Session[] {
    const all = this.#repository(key)?.list() ?? [];
    return this.#archived ? all : all.filter(({ archive }) => archive === undefined);
  }

  /** Undefined: it is not to be seen. */
  #place({ session, repository }: Found): Place | undefined {
    if (session.archive !== undefined && !this.#archived) {
      return undefined;
    }
    return placeOf(session, keyOf(repository), this.#layout, this.#several());
  }

  #nodeOfPlace(place: Place): SessionsNode | undefined {
    const { group, repository } = place;
    if (group !== undefined) {
      return this.#node(group.id, { kind: 'group', ...group });
    }
    return parentOf(place) === undefined || repository === undefined ? undefined : this.#repositoryNode(repository);
  }

  #several(): boolean {
    return this.#services.treeline.repositories.length > 1;
  }

  #repository(key: string): RepositorySessions | undefined {
    return this.#services.treeline.repositories.find((repository) => keyOf(repository) === key);
  }

  #repositoryNode(key: string): SessionsNode {
    return this.#node(key, { kind: 'repository', id: key });
  }

  #sessionNode(session: string): SessionsNode {
    return this.#node(session, { kind: 'session', id: session, session });
  }

  #node(id: string, fresh: SessionsNode): SessionsNode {
    const known = this.#nodes.get(id);
    if (known !== undefined) {
      return known;
    }
    this.#nodes.set(id, fresh);
    return fresh;
  }
}

function keyOf(repository: RepositorySessions): string {
  return repository.repository.commonDir;
}

function tooltip({ session, repository }: Found): vscode.MarkdownString {
  const person = reader();
  const text = new vscode.MarkdownString();
  text.appendMarkdown(`**${markdownText(session.name)}** — ${markdownText(statusLabel(session.status, person.t))}`);
  for (const { label, value, code } of tooltipLines(session, repository.activity(session.id), person)) {
    const shown = code === true && !value.includes('`') ? `\`${oneLine(value)}\`` : markdownText(value);
    text.appendMarkdown(`  \n${markdownText(label)}: ${shown}`);
  }
  return text;
}
