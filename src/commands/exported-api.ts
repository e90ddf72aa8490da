import type { ApiEvent, ApiExit, ApiSession, ApiTurn, TreelineApi } from '../api.ts';
import { TreelineError } from '../platform/errors.ts';
import { invalid, nonEmpty } from '../platform/check.ts';
import type { RepositorySessions } from '../sessions/service-types.ts';
import type { ExitRecord, Session, Turn } from '../store/model.ts';
import { ALL_ROWS } from '../protocol/rows.ts';
import type { Row } from '../protocol/rows.ts';
import { allSessions, findSession } from '../views/services.ts';
import type { Found, Services } from '../views/services.ts';
import { askTimeline } from '../views/timeline-use.ts';
import { readRange, readResume, readSpawn, readStartOptions } from './api-arguments.ts';
import { theRepository } from './repository-arg.ts';
import { told } from '../views/sayings.ts';
import { requireTrust } from './trust.ts';

/** The API that activation hands out. */
export function exportedApi(services: Services): TreelineApi {
  const { treeline, loaded } = services;
  const need = async (id: string): Promise<Found> => {
    await loaded();
    const found = findSession(treeline, id);
    if (found === undefined) {
      throw new TreelineError('no-session', `There is no session ${id} in the repositories that are open here.`);
    }
    return found;
  };
  return {
    version: 1,
    async spawn(request, options) {
      requireTrust();
      const { repository: folder, ...wanted } = readSpawn(request, 'spawn');
      const how = readStartOptions(options);
      const repository = await theRepository(services, folder, false);
      if (repository === undefined) {
        throw new TreelineError('cancelled', 'The spawn was cancelled.');
      }
      return apiSession({ session: await repository.spawn(wanted, how), repository });
    },
    async stop(id) {
      const { repository } = await need(id);
      const exit = await repository.stop(id);
      return exit && apiExit(exit);
    },
    async resume(id, request, options) {
      requireTrust();
      const wanted = readResume(request, 'resume');
      const how = readStartOptions(options);
      const { repository } = await need(id);
      return apiSession({ session: await repository.resume(id, wanted, how), repository });
    },
    async send(id, text) {
      const { repository } = await need(id);
      await repository.send(id, nonEmpty(text, 'text'));
    },
    async sessions() {
      await loaded();
      return allSessions(treeline).map(apiSession);
    },
    async session(id) {
      await loaded();
      const found = findSession(treeline, id);
      return found && apiSession(found);
    },
    async events(id, range) {
      const { from, count } = readRange(range);
      await need(id);
      const page = await askTimeline(services, id, (timelines) => timelines.page(id, ALL_ROWS, from, count));
      return { total: page.total, from: page.from, events: page.rows.map(apiEvent) };
    },
    onDidChange(listener) {
      if (typeof listener !== 'function') {
        invalid('listener', 'a function', listener);
      }
      const dispose = treeline.onDidChange(({ sessions }) => {
        if (sessions.size > 0) {
          listener([...sessions]);
        }
      });
      return { dispose };
    },
  };
}

function apiSession({ session, repository }: Found): ApiSession {
  const { id, name, agent, status, evidence, worktree, branch, base, agentSession, createdAt } = session;
  const activity = repository.activity(id);
  return {
    id,
    name,
    agent: { id: agent.id, name: agent.name },
    status,
    evidence: { ...evidence, detail: told(evidence.detail) },
    repository: repository.repository.root,
    worktree,
    branch,
    base,
    createdAt,
    turns: session.turns.map((turn) => apiTurn(session, turn, repository)),
    ...(agentSession !== undefined && { agentSession }),
    ...(activity?.lastEventAt !== undefined && { lastEventAt: activity.lastEventAt }),
    ...(activity?.usage !== undefined && { usage: activity.usage }),
    ...(activity?.cost !== undefined && { cost: activity.cost }),
  };
}

function apiTurn(session: Session, turn: Turn, repository: RepositorySessions): ApiTurn {
  const { number, prompt, requestedAt, begunAt, exit, judgement } = turn;
  return {
    number,
    prompt,
    requestedAt,
    folder: repository.turnFolder(session.id, number),
    ...(begunAt !== undefined && { startedAt: begunAt }),
    ...(exit !== undefined && { exit: apiExit(exit) }),
    ...(judgement !== undefined && { outcome: judgement.outcome, summary: told(judgement.summary) }),
  };
}

function apiExit({ endedAt, code, signal, stop, expected, problem }: ExitRecord): ApiExit {
  return {
    endedAt,
    code,
    signal,
    expected,
    ...(stop !== undefined && { stop }),
    ...(problem !== undefined && { problem: told(problem) }),
  };
}

function apiEvent({ seq, turn, kind, at, depth, text, problem, tool, request }: Row): ApiEvent {
  return {
    seq,
    turn,
    kind,
    at,
    depth,
    text: text.text,
    cut: text.cut,
    problem,
    ...(tool !== undefined && {
      tool: {
        name: tool.name,
        argument: tool.argument,
        state: tool.state,
        ...(tool.exitCode !== undefined && { exitCode: tool.exitCode }),
        ...(tool.durationMs !== undefined && { durationMs: tool.durationMs }),
        ...(tool.output !== undefined && { output: tool.output.text }),
      },
    }),
    ...(request !== undefined && {
      request: {
        about: request.about,
        state: request.state,
        choices: request.choices,
        ...(request.input !== undefined && { input: request.input.text }),
        ...(request.choice !== undefined && { choice: request.choice }),
        ...(request.answer !== undefined && { answer: request.answer.text }),
      },
    }),
  };
}
