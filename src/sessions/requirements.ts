import type { AgentAdapter } from '../agents/adapter.ts';
import { TreelineError } from '../platform/errors.ts';
import type { Session } from '../store/model.ts';
import { say } from '../words/saying.ts';
import type { Context } from './context.ts';

/** Looks for the agent's program, without running it. */
export async function requireFound({ detector }: Context, { name, detection }: AgentAdapter): Promise<void> {
  const program = { ...detection, argv: detection.argv.slice(0, 1) };
  const { found, hint } = await detector.detect(program, { maxAge: 0 });
  if (!found) {
    throw new TreelineError(say('agent-missing', { agent: name, hint }));
  }
}

/** The agent session id to resume, checked for form: an agent may take a malformed one for a new conversation. */
export function resumable(session: Session, adapter: AgentAdapter): string {
  const id = adapter.resumesBySession === true ? session.id : (session.agentSession ?? '');
  if (!adapter.isAgentSession(id)) {
    throw new TreelineError(say('no-agent-session', { agent: adapter.name, name: session.name }));
  }
  return id;
}
