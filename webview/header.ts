import { h, icon, setText } from './dom.ts';
import { statusLook } from './looks.ts';
import { line } from './text.ts';
import type { Header, PageMessage } from '../src/protocol/timeline.ts';
import type { Words } from './words.ts';

type Command = Extract<PageMessage, { type: 'command' }>['command'];

const COMMANDS: readonly {
  readonly command: Command;
  readonly icon: string;
  readonly quiet: boolean;
  readonly shown: (can: Header['can']) => boolean;
}[] = [
  { command: 'stop', icon: 'debug-stop', quiet: false, shown: (can) => can.stop },
  { command: 'resume', icon: 'debug-continue', quiet: false, shown: (can) => can.resume },
  { command: 'send', icon: 'send', quiet: false, shown: (can) => can.send },
  { command: 'diff', icon: 'diff-multiple', quiet: true, shown: (can) => can.diff },
  { command: 'log', icon: 'output', quiet: true, shown: () => true },
];

const LOST = { icon: 'debug-disconnect', color: 'orange', spins: false };

/** The head of the page: what the session is doing, the evidence for it, its figures, and what can be done. */
export class HeaderView {
  readonly element: HTMLElement;
  readonly #words: Words;
  readonly #status = h('span', { class: 'status' });
  readonly #name = h('h1', { class: 'name' });
  readonly #facts = h('div', { class: 'facts' });
  readonly #evidence = h('div', { class: 'evidence' });
  readonly #elapsed = h('span', { class: 'fact elapsed' });
  readonly #buttons: ReadonlyMap<Command, HTMLElement>;
  #header: Header | null = null;
  #lost = false;
  #timer: number | undefined;

  constructor(words: Words, run: (command: Command) => void) {
    this.#words = words;
    const actions = h('div', { class: 'header-actions', role: 'toolbar', 'aria-label': words.say('header.actions') });
    this.#buttons = new Map(
      COMMANDS.map(({ command, icon: name, quiet }) => {
        const label = words.say(`header.${command}`);
        const button = h(
          'vscode-button',
          {
            appearance: quiet ? 'icon' : 'secondary',
            class: command,
            'aria-label': label,
            title: words.say(`header.${command}.title`),
          },
          icon(name),
          quiet ? null : h('b', { class: 'button-label' }, label),
        );
        button.addEventListener('click', () => {
          run(command);
        });
        actions.append(button);
        return [command, button];
      }),
    );
    this.element = h(
      'header',
      { class: 'header' },
      h('div', { class: 'title' }, this.#status, this.#name, actions),
      this.#facts,
      this.#evidence,
    );
    document.addEventListener('visibilitychange', () => {
      this.#tick();
    });
  }

  show(header: Header | null): void {
    this.#header = header;
    this.element.hidden = header === null;
    if (header !== null) {
      this.#fill(header);
    }
    this.#tick();
  }

  /** Whether the host does not answer: what is shown is what was last known, and nothing can be done. */
  set lost(lost: boolean) {
    if (lost !== this.#lost) {
      this.#lost = lost;
      this.show(this.#header);
    }
  }

  #fill(header: Header): void {
    const words = this.#words;
    const look = this.#lost ? LOST : statusLook(header.status);
    const evidence = words.say('header.evidence', line(header.evidence, 300), words.time(header.evidenceAt));
    this.#status.className = `status color-${look.color}`;
    this.#status.title = this.#lost
      ? words.say('header.lost.title')
      : `${evidence} (${words.moment(header.evidenceAt)})`;
    const sign = icon(look.icon);
    sign.classList.toggle('spins', look.spins === true);
    this.#status.replaceChildren(sign, h('b', {}, this.#lost ? words.say('header.lost') : header.statusLabel));
    const name = line(header.name, 200);
    setText(this.#name, name);
    this.#name.title = name;
    setText(this.#evidence, evidence);
    this.#facts.replaceChildren(...this.#factsOf(header));
    for (const { command, shown } of COMMANDS) {
      const button = this.#buttons.get(command);
      if (button !== undefined) {
        button.hidden = !shown(header.can);
        button.toggleAttribute('disabled', this.#lost);
      }
    }
  }

  #factsOf(header: Header): HTMLElement[] {
    const words = this.#words;
    const fact = (text: string, title: string, extra = ''): HTMLElement =>
      h('span', { class: `fact ${extra}`, title }, text);
    const agent = line(header.agent, 60) + (header.model === undefined ? '' : ` (${line(header.model, 60)})`);
    this.#elapsed.title = words.say('header.elapsed');
    const { usage, cost } = header;
    return [
      ...(header.retrying ? [h('vscode-badge', {}, words.say('header.retrying'))] : []),
      fact(agent, words.say('header.agent')),
      fact(line(header.branch, 200), `${words.say('header.branch')}: ${line(header.branch, 400)}`, 'branch'),
      fact(words.say('header.turn', words.number(header.turn)), ''),
      ...(header.startedAt === undefined ? [] : [this.#elapsed]),
      ...(usage === undefined
        ? []
        : [
            fact(
              words.say('header.tokens', words.compact(usage.input + usage.output)),
              words.say(
                'header.tokens.title',
                ...[usage.input, usage.cached, usage.output].map((n) => words.number(n)),
              ),
            ),
          ]),
      ...(cost === undefined ? [] : [fact(words.money(cost), words.say('header.cost.title'))]),
    ];
  }

  /** The clock of a live turn: one timer, only while there is something to show, a host that knows, and somebody to see it. */
  #tick(): void {
    window.clearTimeout(this.#timer);
    const header = this.#header;
    if (header?.startedAt === undefined || this.#lost) {
      return;
    }
    const now = header.endedAt ?? Date.now();
    setText(this.#elapsed, this.#words.elapsed(now - header.startedAt));
    if (header.endedAt === undefined && document.visibilityState === 'visible') {
      const untilNextSecond = 1000 - ((((now - header.startedAt) % 1000) + 1000) % 1000);
      this.#timer = window.setTimeout(() => {
        this.#tick();
      }, untilNextSecond + 5);
    }
  }
}
