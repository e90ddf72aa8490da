import type { Attention, ExitRecord, Judgement, Usage } from '../store/model.ts';
import type { Said } from '../words/saying.ts';
import type { AgentEvent } from './events.ts';

/** How a turn's process is started. `argv[0]` is a program name for the PATH or an absolute path; no shell is involved. */
export interface Launch {
  readonly argv: readonly string[];
  /**
   * What the agent finds on its stdin: nothing; the prompt file, then end of file; or a pipe that stays open, on which the
   * prompt is the first line and follow-up messages are further lines.
   */
  readonly stdin: 'closed' | 'prompt' | 'lines';
  /** The live protocol of an agent with `lines` (drivers/table.ts); absent for the one of plain lines. */
  readonly protocol?: string;
  /** Variables to add to the user's environment; never a secret. */
  readonly env?: Readonly<Record<string, string>>;
  /** The prompt stands in `argv`. */
  readonly promptInArgv?: boolean;
}

/** What an adapter needs to know to start a turn. Paths are absolute. */
export interface TurnRequest {
  readonly prompt: string;
  readonly promptFile: string;
  readonly worktree: string;
  readonly session: string;
  /** Fresh turn: the id to give the conversation, where the agent lets us choose. Resume: the id to resume. */
  readonly agentSession?: string;
}

/** How to find out whether an agent's program is there. */
export interface Detection {
  /**
   * Program name or absolute path, then the arguments that make it print its version. The program alone is only looked for,
   * and never run; an empty list says that nothing can be known before a turn.
   */
  readonly argv: readonly string[];
  /** One sentence that says how to install it. */
  readonly install: string;
  /** Folders to look in after those of the PATH, as patterns: see `places.ts`. */
  readonly places: readonly string[];
  /** The oldest version that the adapter was tried with. Older ones may work; what they print is not known. */
  readonly oldestTried?: string;
}

/** What an agent can do, as far as Treeline makes use of it today. */
export type Capability =
  /** It takes messages while a turn runs. */
  | 'steer'
  /** It keeps messages that come while a turn runs for the turns after it. */
  | 'queue'
  /** A turn can be cut short, and the process lives on. */
  | 'interrupt'
  /** It asks whether it may do something, and waits for the answer. */
  | 'permissions'
  /** It asks questions, and waits for the answers. */
  | 'questions'
  /** A further turn goes on with the conversation. */
  | 'resume'
  /** A further turn can begin a second conversation with the history of the first. */
  | 'fork'
  /** The id of a new conversation can be chosen for it. */
  | 'own-id'
  /** It tells how many tokens a turn used. */
  | 'usage'
  /** It tells what a turn cost. */
  | 'cost';

/** How the turns of a conversation are started. */
export interface Turns {
  /** An id for a new conversation, where the CLI lets the caller choose one. */
  newAgentSession?(): string;
  /** argv of a new conversation's first turn. Throws TreelineError where the request cannot be expressed (such as a prompt too long for argv). */
  start(request: TurnRequest): Launch;
  /** argv of a further turn; absent where the agent cannot resume. */
  resume?(request: TurnRequest & { readonly agentSession: string }): Launch;
}

/** One coding CLI, as this user's settings have it. */
export interface AgentAdapter extends Turns {
  readonly id: string;
  readonly name: string;
  /** How its stdout reads. */
  readonly format: string;
  readonly can: readonly Capability[];
  readonly detection: Detection;
  /** The agent keeps no conversation: a resume works by Treeline's own session id, which then is passed as `agentSession`. */
  readonly resumesBySession?: boolean;
  /** Whether `id` has the form of this agent's session ids: checked before every resume. */
  isAgentSession(id: string): boolean;
}

/** A row of the table of agents: all that Treeline knows of one coding CLI. */
export interface AgentEntry {
  readonly id: string;
  readonly name: string;
  /** The usual name of its program. */
  readonly command: string;
  /** The arguments that make it print its version. */
  readonly version: readonly string[];
  /** The command that its makers give for installing it. */
  readonly install: string;
  readonly oldestTried: string;
  /** Folders of its own in which it may be installed, apart from those where any program may be: see `places.ts`. */
  readonly places: readonly string[];
  /** The readers of what it prints. Its turns are started so that it prints the first one's format. */
  readonly readers: readonly [OutputReader, ...OutputReader[]];
  readonly can: readonly Capability[];
  /** @param command the program, as a name or an absolute path. @param args the user's further arguments of every turn. */
  readonly turns: (command: string, args: readonly string[]) => Turns;
}

/** Reads the stdout of one run. It may keep state between lines. */
export interface OutputParser {
  /**
   * The events of one line (without its line end). Never throws: a line that it does not know becomes one `raw` event.
   * A line that is known to carry nothing a reader needs (a ping) may give none.
   */
  line(text: string): readonly AgentEvent[];
  /**
   * What a line that was sent to the agent says beside its text, such as the answer to a request; undefined where it is a
   * message like any other.
   */
  sent?(text: string): readonly AgentEvent[] | undefined;
  /** What the lines of the turn so far amount to. */
  readonly seen: Seen;
  /** A further turn begins: `seen` starts anew. Where it is absent, each turn of a run has a parser of its own. */
  nextTurn?(): void;
}

/** What a parser remembers of a turn, for the header and for the judgement. */
export interface Seen {
  agentSession?: string;
  model?: string;
  /** The last text of the agent, at most 500 characters. */
  lastText?: string;
  /** The terminal event, when there was one. */
  result?: { readonly ok: boolean; readonly text: string; readonly interrupted?: boolean };
  /** The last error event. */
  error?: Said;
  /** True while the agent is retrying its model and nothing else. */
  retrying?: boolean;
  usage?: Usage;
  cost?: number;
  attention?: Attention;
}

/** What came before the first line that a parser reads: the figures of the conversation's earlier turns, for CLIs that report totals. */
export interface Before {
  /** The agent has said that it is a live one. */
  readonly live?: boolean;
  readonly usage?: Usage;
  readonly cost?: number;
  /** The turn before ended without reporting its usage, so that a total contains that usage, too. */
  readonly untold?: boolean;
}

/** How one output format is read and judged. */
export interface OutputReader {
  readonly format: string;
  /** The ids by which output of this format names a conversation; absent where it names none. */
  readonly ids?: {
    /** The agent takes an id that was chosen for it. */
    readonly chosen: boolean;
    /** Whether `id` has the form of such an id. */
    readonly isId: (id: string) => boolean;
  };
  /** @param before what earlier turns of the same conversation had used up, to turn totals into this turn's share. */
  parser(before: Before): OutputParser;
  /**
   * The outcome of a finished turn, from the terminal event, the exit status and the end of stderr together.
   * @param exit absent for a turn that ended while its run went on.
   * @param stderr the last 16 KiB of stderr; empty for a turn that ended while its run went on.
   */
  judge(seen: Seen, exit: ExitRecord | undefined, stderr: string): Judgement;
}
