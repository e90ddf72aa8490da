import type { AgentEventBody } from '../events.ts';
import { say, type Saying } from '../../words/saying.ts';
import { finite, object, text, type Json } from '../json.ts';

/**
 * Subtypes of Claude Code's `system` lines that tell its own front ends how to draw or what to cache, and a reader
 * nothing (list: the message schemas of 2.1.329).
 */
const SILENT = new Set([
  'task_progress',
  'background_tasks_changed',
  'session_state_changed',
  'session_title_changed',
  'session_metadata',
  'thinking_tokens',
  'turn_duration',
  'turn_starting',
  'post_turn_summary',
  'task_summary',
  'hook_started',
  'hook_progress',
  'stop_hook_summary',
  'files_persisted',
  'file_snapshot',
  'memory_recall',
  'memory_saved',
  'commands_changed',
  'permission_check_status',
  'per_turn_effort_changed',
  'elicitation_complete',
  'control_request_progress',
  'vcs_state_changed',
  'shell_cwd',
  'plugin_install',
]);

const NOTICES = new Set([
  'informational',
  'notification',
  'local_command_output',
  'away_summary',
  'permission_retry',
  'scheduled_task_fire',
]);

const WARNINGS = new Set([
  'api_error',
  'model_fallback',
  'model_refusal_fallback',
  'model_refusal_no_fallback',
  'model_consent_fallback',
  'session_writes_lost',
  'mirror_error',
  'file_attachments_missing',
  'agents_killed',
]);

/** The events of a `system` line that changes nothing of what the parser knows; undefined for an unknown subtype. */
export function systemNotice(message: Json): AgentEventBody[] | undefined {
  const subtype = text(message['subtype']) ?? '';
  if (SILENT.has(subtype)) return [];
  const words = text(message['content'], message['text'], message['error'], object(message['error'])['formatted']);
  if (WARNINGS.has(subtype)) return [{ kind: 'warning', text: words ?? subtype.replaceAll('_', ' ') }];
  if (NOTICES.has(subtype)) {
    if (words === undefined) return [];
    return [{ kind: message['level'] === 'warning' ? 'warning' : 'notice', text: words }];
  }
  switch (subtype) {
    case 'status':
      return status(message);
    case 'compact_boundary':
      return [{ kind: 'notice', text: compacted(object(message['compact_metadata'])) }];
    case 'hook_response':
      return hook(message);
    default:
      return undefined;
  }
}

function status(message: Json): AgentEventBody[] {
  const problem = text(message['compact_error']);
  if (problem !== undefined) return [{ kind: 'warning', text: say('compact-failed', { reason: problem }) }];
  return message['status'] === 'compacting' ? [{ kind: 'notice', text: say('compacting') }] : [];
}

function compacted(metadata: Json): Saying {
  const before = finite(metadata['pre_tokens']);
  return before === undefined ? say('compacted') : say('compacted.from', { tokens: before });
}

/** A hook of the user's: worth a row only where it failed. */
function hook(message: Json): AgentEventBody[] {
  const code = finite(message['exit_code']);
  if (message['outcome'] !== 'error' && (code === undefined || code === 0)) return [];
  const words = text(message['stderr'], message['output'], message['stdout']) ?? '';
  const failed = { hook: text(message['hook_name']) ?? '', reason: words };
  const said = code === undefined ? say('hook-failed', failed) : say('hook-failed.code', { ...failed, exit: code });
  return [{ kind: 'warning', text: said }];
}
