// The setting that makes the demo agent known to Treeline, through the same door as any command of a person's own.
import { fileURLToPath } from 'node:url';

const agent = fileURLToPath(new URL('agent.mjs', import.meta.url));

/**
 * The value of `treeline.customAgents`.
 * @param {{ speed?: number, live?: boolean }} [options] how many times faster than for a person who watches, and whether the agent
 * that stays up over many turns is among them
 */
export function demoAgents({ speed = 1, live = false } = {}) {
  const start = [process.execPath, agent, '--speed', String(speed)];
  const prompt = ['--prompt-file', '${promptFile}'];
  return [
    {
      id: 'demo',
      name: 'Demo agent (no model)',
      command: [...start, ...prompt],
      resume: [...start, '--resume', '${agentSession}', ...prompt],
      format: 'claude',
    },
    ...(live
      ? [{ id: 'demo-live', name: 'Demo agent, live (no model)', command: [...start, '--live'], stdin: 'lines' }]
      : []),
  ];
}
