import type { AgentEventBody } from '../events.ts';
import { list, object, text, type Json } from '../json.ts';

type Todo = Extract<AgentEventBody, { kind: 'todo' }>;
type State = Todo['items'][number]['state'];

const TODO_TOOLS = new Set(['TodoWrite', 'TaskCreate', 'TaskUpdate']);

/** Whether a call of this tool shows as the todo list, and not as a tool row of its own. */
export function isTodoTool(name: string): boolean {
  return TODO_TOOLS.has(name);
}

/** The list that a TodoWrite call writes: always the whole. */
export function writtenTodos(input: Json): Todo {
  return {
    kind: 'todo',
    items: list(input['todos']).map((one) => {
      const item = object(one);
      return { text: text(item['content'], item['activeForm']) ?? '', state: state(item['status']) };
    }),
  };
}

function state(status: unknown): State {
  if (status === 'completed') return 'done';
  return status === 'in_progress' ? 'doing' : 'open';
}

/** The list that TaskCreate and TaskUpdate calls make one step at a time. One for a whole turn: sub-agents share it. */
export class TaskList {
  readonly #tasks = new Map<string, { text: string; state: State }>();

  /** A call succeeded. @param result its `tool_use_result`: only there does a new task's id stand. */
  apply(name: string, input: Json, result: Json): Todo {
    if (name === 'TaskCreate') {
      const task = object(result['task']);
      const id = text(task['id']) ?? `new ${this.#tasks.size + 1}`;
      this.#tasks.set(id, { text: text(input['subject'], task['subject']) ?? '', state: 'open' });
    } else {
      const id = text(input['taskId'], result['taskId']) ?? '';
      if (input['status'] === 'deleted') this.#tasks.delete(id);
      else this.#update(id, input);
    }
    return this.#todo();
  }

  /** States that the agent set without a call. */
  applyStates(statuses: readonly unknown[]): Todo {
    for (const one of statuses.map(object)) this.#update(text(one['id']) ?? '', one);
    return this.#todo();
  }

  /** The task may be one of an earlier turn, of which only the number is known here. */
  #update(id: string, change: Json): void {
    const before = this.#tasks.get(id) ?? { text: `Task ${id}`, state: 'open' as const };
    this.#tasks.set(id, {
      text: text(change['subject']) ?? before.text,
      state: change['status'] === undefined ? before.state : state(change['status']),
    });
  }

  #todo(): Todo {
    return { kind: 'todo', items: [...this.#tasks.values()] };
  }
}
