import { agentEnvironment } from '../platform/environment.ts';

/**
 * Variables that change the meaning of git's arguments or what it prints. What would point it at another repository is not
 * in an agent's environment either, on which this one is built.
 */
const MISLEADING = /^GIT_(\w+_PATHSPECS|TRACE\w*|EXTERNAL_DIFF|DIFF_\w+|PAGER\w*|REDIRECT_\w+)$/;

/**
 * The environment git runs in: the user's, without what misleads git, with messages in English (they are matched),
 * and without a question on a terminal that nobody sees.
 * @param writes false sets GIT_OPTIONAL_LOCKS=0: a read then never takes the index lock from the user's own git.
 */
export function gitEnvironment(
  writes: boolean,
  extra: Readonly<Record<string, string>> = {},
  source: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  const env: Record<string, string> = {};
  // Hooks and filters inherit it, so the editor's own variables go too, as they do for an agent.
  for (const [name, value] of Object.entries(agentEnvironment(source))) {
    // Windows names are case-insensitive.
    if (!MISLEADING.test(name.toUpperCase())) env[name] = value;
  }
  delete env['LANGUAGE'];
  if (writes) delete env['GIT_OPTIONAL_LOCKS'];
  else env['GIT_OPTIONAL_LOCKS'] = '0';
  return { ...env, LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0', ...extra };
}
