import type { AgentAdapter } from '../agents/adapter.ts';
import type { Detector } from '../agents/detect.ts';
import { gitVersion } from '../git/version.ts';
import { isAtLeast } from '../platform/version.ts';
import { errorText } from '../platform/errors.ts';
import type { Finding } from './finding.ts';

/** git and the agents, as this machine has them. @param used ids of the agents that sessions have. */
export async function examinePrograms(
  detector: Detector,
  adapters: readonly AgentAdapter[],
  used: ReadonlySet<string>,
): Promise<readonly Finding[]> {
  const agents = await Promise.all(
    adapters.map(async ({ id, name, detection }): Promise<readonly Finding[]> => {
      const { found, version, hint, path } = await detector.detect(detection, { maxAge: 0 });
      const evidence = [path, version].flatMap((text) => text ?? []);
      if (!found || hint !== '') {
        const severity = used.has(id) ? 'warning' : 'info';
        return [{ kind: 'agent', severity, sentence: `${name} cannot be used: ${hint}`, evidence }];
      }
      const oldest = detection.oldestTried;
      if (oldest === undefined || version === undefined || isAtLeast(version, oldest)) return [];
      const sentence = `${name} ${version} is older than the oldest tested version (${oldest}). Update it. ${detection.install}`;
      return [{ kind: 'agent', severity: 'warning', sentence, evidence }];
    }),
  );
  return [...(await gitFinding()), ...agents.flat()];
}

async function gitFinding(): Promise<readonly Finding[]> {
  try {
    await gitVersion();
    return [];
  } catch (error) {
    return [{ kind: 'git', severity: 'error', sentence: errorText(error), evidence: [] }];
  }
}
