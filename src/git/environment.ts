import { agentEnvironment } from '../platform/environment.ts';

/**
 * Variables that would point git at another repository, index or configuration, or change what it prints.
 * The first group is what `git rev-parse --local-env-vars` names (git sets them for its hooks, so they leak into whatever a
 * hook or an alias starts); the rest changes the meaning of arguments or the output.
 */
const MISLEADING =
  /^GIT_(ALTERNATE_OBJECT_DIRECTORIES|CONFIG|CONFIG_PARAMETERS|CONFIG_COUNT|CONFIG_KEY_\d+|CONFIG_VALUE_\d+|OBJECT_DIRECTORY|DIR|WORK_TREE|IMPLICIT_WORK_TREE|GRAFT_FILE|INDEX_FILE|NO_REPLACE_OBJECTS|REPLACE_REF_BASE|PREFIX|SHALLOW_FILE|COMMON_DIR|INTERNAL_\w+|NAMESPACE|QUARANTINE_PATH|\w+_PATHSPECS|TRACE\w*|EXTERNAL_DIFF|DIFF_\w+|PAGER\w*|REDIRECT_\w+)$/;

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
