import type { Dispose } from '../platform/emitter.ts';
import { timelineSource } from '../sessions/timeline-source.ts';
import type { Session, Turn } from '../store/model.ts';
import type { Activity } from '../protocol/rows.ts';
import type { StewardContext } from './context.ts';

/** What is read of a session's output for its status: while it runs, and when a turn is over. */
export class Reading {
  readonly #context: StewardContext;
  #unfollow: Dispose | undefined;

  constructor(context: StewardContext) {
    this.#context = context;
  }

  /** The output of what is live is followed, whether or not anybody looks at it: status comes from it. */
  follow(session: Session): void {
    // From the agent's start on: before it there is nothing to read, and the machine has a worktree to make.
    const live = session.runs.some((run) => run.agent !== undefined && run.exit === undefined);
    if (!live) this.dispose();
    else this.#unfollow ??= this.#context.outputs.follow(timelineSource(this.#context.folder, session));
  }

  /**
   * Says what a turn that is over came to, once.
   * @param acts whether that is still for this process to do; asked when it is known.
   */
  async judge(session: Session, turn: Turn, acts: () => boolean): Promise<void> {
    const { outputs, store, folder } = this.#context;
    const close = outputs.follow(timelineSource(folder, session));
    try {
      const judgement = await outputs.judge(session.id, turn.number);
      if (acts() && store.get(session.id)?.turns[turn.number - 1]?.judgement === undefined) {
        store.append({ type: 'turn.judged', session: session.id, turn: turn.number, judgement });
      }
    } finally {
      close();
    }
  }

  /** What the agent's output came to: the id of its conversation, once. */
  note(session: Session, { agentSession: named }: Activity): void {
    if (named === undefined || named.id === session.agentSession) return;
    const run = session.turns[named.turn - 1]?.claim?.run;
    if (run === undefined || run !== session.runs.length || !this.#isAgentSession(session, named.id)) return;
    this.#context.store.append({ type: 'agent.identified', session: session.id, run, agentSession: named.id });
  }

  dispose(): void {
    this.#unfollow?.();
    this.#unfollow = undefined;
  }

  /** Whether an id that the output names has the form of one: any other must not take the place of a good one. */
  #isAgentSession(session: Session, id: string): boolean {
    try {
      return this.#context.adapter(session.agent.id).isAgentSession(id);
    } catch {
      // The agent is in no setting any more. Should it come back, a resume asks again.
      return true;
    }
  }
}
