// The setting that makes the demo agent known to Treeline, through the same door as any command of a person's own.
import { fileURLToPath } from 'node:url';

const agent = fileURLToPath(new URL('agent.mjs', import.meta.url));

/**
 * The value of `treeline.customAgents`.
 * @param {{ speed?: number }} [options] how many times faster than for a person who watches
 */
export function demoAgents({ speed = 1 } = {}) {
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
  ];
}
