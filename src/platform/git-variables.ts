/**
 * Variables by which git tells the programs it starts (hooks, aliases, editors) which repository, index and objects to use.
 * They are all that `git rev-parse --local-env-vars` names, in any version, and those that do the same without standing
 * there: a namespace and a push's quarantine redirect what is written, the action names it in the reflog.
 *
 * GIT_EXEC_PATH is not among them: it says where git itself is installed, and a portable git does not run without it.
 */
const LOCAL =
  /^GIT_(ALTERNATE_OBJECT_DIRECTORIES|COMMON_DIR|CONFIG|CONFIG_PARAMETERS|CONFIG_COUNT|CONFIG_KEY_\d+|CONFIG_VALUE_\d+|DIR|GRAFT_FILE|IMPLICIT_WORK_TREE|INDEX_FILE|INDEX_VERSION|INTERNAL_\w+|NAMESPACE|NO_REPLACE_OBJECTS|OBJECT_DIRECTORY|PREFIX|QUARANTINE_PATH|REFLOG_ACTION|REFERENCE_BACKEND|REPLACE_REF_BASE|SHALLOW_FILE|SUPER_PREFIX|WORK_TREE)$/;

/**
 * Whether a variable belongs to one repository or one running git command. A program that inherits it works on that
 * repository, whatever folder it runs in. What users set for all their gits (identity, ssh, pager) is not meant.
 * @param name in capitals: Windows does not tell names apart by case.
 */
export function isGitLocal(name: string): boolean {
  return LOCAL.test(name);
}
