import { SEVERITIES, type Finding } from './finding.ts';

/** What was found in one repository, or on the machine. */
export interface Examined {
  readonly where: string;
  readonly findings: readonly Finding[];
}

/** The findings as Markdown to be read or sent to somebody. Everything that comes from outside stands in code. */
export function healthReport(examined: readonly Examined[], version: string, at: number): string {
  const lines = ['# Treeline: health', '', `Treeline ${version}, ${process.platform}, ${new Date(at).toISOString()}`];
  for (const { where, findings } of examined) {
    lines.push('', `## ${code(where)}`, '');
    if (findings.length === 0) lines.push('No problems found.');
    for (const severity of SEVERITIES) {
      for (const finding of findings.filter((one) => one.severity === severity)) {
        lines.push(`- **${severity}** (${finding.kind}): ${code(finding.sentence)}`);
        for (const line of finding.evidence) lines.push(`  - ${code(line)}`);
        if (finding.repair !== undefined) {
          lines.push(`  - Repair: ${finding.repair.title}`);
          for (const step of finding.repair.plan) lines.push(`    - ${code(step)}`);
        }
      }
    }
  }
  return `${lines.join('\n')}\n`;
}

/** Text that Markdown shows as it is, on one line. */
function code(text: string): string {
  const line = text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  if (longest === 0) return `\`${line}\``;
  const fence = '`'.repeat(longest + 1);
  return `${fence} ${line} ${fence}`;
}
