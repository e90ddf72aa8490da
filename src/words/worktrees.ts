/** What is said of git, worktrees, branches and folders. */
export const WORKTREES = {
  // What git itself refuses
  'unsafe-repository':
    'git does not trust {folder}, because it belongs to another user. If you trust it, run: git config --global --add safe.directory {folder}',
  'disk-full.git': 'git could not write in {folder} because the disk is full. Free some space and try again.',
  'branch-exists': 'There is already a branch {branch}. Choose another name.',
  'branch-exists.folder':
    'The branch {branch} cannot be created beside the branch {other}, because git takes one for a folder of the other. Choose another name.',
  'branch-checked-out':
    'The branch {branch} is checked out in {folder}. Close or switch that worktree, then try again.',
  'hook-failed.refs':
    "The repository's reference-transaction hook refused the change: {reason} Check the hook, or ask its owner.",
  'hook-failed.refs-silent':
    "The repository's reference-transaction hook refused the change without a message. Check the hook, or ask its owner.",
  locked: 'Another git process holds {file}. Wait for it to end, or delete that file if no git is running.',
  'filter-failed':
    "The repository's content filter {program} failed. Check that its program is installed (Git LFS, for instance), then try again.",
  'file-unreadable':
    'git could not read {file} in {folder}. Check its permissions, or remove it if it is not a regular file.',
  'broken-repository':
    'The .git file of {folder} points to {target}, which does not exist. Run git worktree repair in the main worktree.',
  'not-a-repository': '{folder} is not in a git worktree. Open a folder of a repository, or run git init.',
  'git-failed': 'git {verb} failed in {folder}: {reason}',
  'git-failed.silent': 'git {verb} failed in {folder} without a message (exit code {exit}). Try again.',
  'git-failed.start': 'git could not be started: {reason}',
  'git-failed.torn': 'git diff ended unexpectedly in {folder}. Try again.',
  'git-missing': 'git was not found. Install git 2.31 or newer, then restart VS Code.',
  'git-too-old': 'git {version} is too old. Install git {minimum} or newer.',
  'too-large': "git's answer in {folder} is larger than {most} bytes. Open the file itself instead.",
  timeout:
    'git {verb} did not end within {limit:duration} in {folder} and was stopped. Check for a hook or a disk that hangs.',
  'cancelled.git': 'git {verb} was cancelled.',
  'no-folder': 'The folder {folder} no longer exists. Open another one.',

  // Bases and branches
  'unknown-revision': '{revision} is not a branch, tag, or commit of {repository}. Choose another base.',
  'unknown-revision.empty': 'The name of the base is empty. Choose another base.',
  'unknown-revision.nul': 'A name with a NUL character is not a branch, tag, or commit. Choose another base.',
  'unknown-revision.commit': '{commit} is not a commit ID. Choose another commit.',
  'no-such-file': 'Commit {commit} has no file {file}. Refresh the view.',
  'no-commit': 'The repository {repository} has no commits yet. Create a first commit, then try again.',
  'bad-branch-name': '{branch} is not a valid branch name. Choose another one.',
  'bad-branch-template':
    'The branch name setting {template} gives {branch}, which git does not allow. Use letters, digits, - and /, with {places:list}.',
  'branch-missing':
    'The branch {branch} is gone, and so is its worktree {worktree}. Start a new session, or restore the branch with git branch.',
  'branch-missing.files':
    'The files in {worktree} are there, but the repository no longer has the branch {branch}, perhaps because its .git folder was replaced. Restore the branch with git branch, or take the files into a new session.',
  'branch-left': '{problem} The branch {branch}, created for it, could not be deleted ({reason}). Delete it by hand.',

  // Making and removing worktrees
  'worktree-left': '{problem} What was created in {worktree} could not be removed ({reason}). Remove it by hand.',
  'worktree-in-use.main': "{worktree} is the repository's main worktree and is never removed.",
  'worktree-in-use.unknown':
    '{worktree} is not a worktree of {repository} and not empty, so it was left alone. Remove it by hand if you do not need it.',
  'worktree-in-use.locked':
    'The worktree {worktree} is locked ({reason}), so it was left alone. Unlock it with git worktree unlock.',
  'worktree-in-use.branch':
    'The worktree {worktree} is on {branch} instead of {wanted}, so it was left alone. Remove it with git worktree remove when you no longer need it.',
  'worktree-in-use.files':
    'The worktree {worktree} holds files that are not in git ({file}), so it was left alone. Remove it with git worktree remove when you no longer need them.',
  'worktree-in-use.inner': 'Another worktree, {inner}, lies inside {worktree}. Move or remove that one first.',
  'worktree-in-use.git':
    'A git process works in this worktree ({file}). Wait for it to end, or delete that file if no git is running.',
  'worktree-locked': 'The worktree {worktree} is locked ({reason}). Run git worktree unlock, then try again.',
  'worktree-locked.missing':
    'The worktree {worktree} is missing but locked ({reason}). Connect its disk, or run git worktree unlock.',
  'no-branch': 'no branch',
  'no-reason': 'no reason given',
  'worktree-busy': '{folder} could not be moved ({reason}). Close what uses it, check its permissions, then try again.',
  'stray-commit':
    'The missing worktree {worktree} was at commit {commit}, which is on no branch. Save it with git branch {branch}-saved {commit}, then try again.',
  'hook-timeout':
    "The repository's post-checkout hook did not end in time after the checkout of {folder} and was stopped. Repair or disable the hook, then try again.",
  'main-worktree': '{worktree} holds the repository itself, so it is never removed.',
  'not-our-worktree':
    '{worktree} belongs to another repository than {repository}, so it was left alone. Remove it by hand if you do not need it.',
  'warm-changed': 'Files in {folder} were changed while it waited.',

  // Folders
  'folder-unreadable': '{folder} cannot be read ({reason}). Check its permissions.',
  'no-folder.parent':
    'The folder {folder} could not be created ({reason}). Move away what is in its place, check its permissions, then try again.',
  'path-relative': '{folder} is not an absolute path. Change the worktree folder setting.',
  'path-taken': '{folder} already exists. Choose another folder or branch name.',
  'path-taken.files': '{folder} is taken: something else is there. Move that away, or choose another folder.',
  'path-taken.registered':
    '{folder} is taken: git has another worktree registered there. Move that away, or choose another folder.',
  'path-taken.meanwhile': '{folder} has been taken in the meantime. Move that away, or choose another folder.',
  'path-taken.submodules':
    "A worktree with submodules can only come back where it was, {folder}. Move away what is there (or git's {registration}), then try again.",
  'path-taken.registration': '{folder} belongs to another worktree by now. Try again.',
  'path-taken.other': '{folder} exists but is not the worktree of {branch}. Move it away, then try again.',
  'path-unwritable':
    'The worktree folder {folder} could not be created ({reason}). Change the worktree folder setting.',
  'path-unwritable.permissions':
    'The worktree folder {folder} cannot be written ({reason}). Change the setting or its permissions.',
  'bad-worktree-folder':
    'The worktree folder setting {template} gives {folder}, which is not an absolute path. Use an absolute path, or begin with one of {places:list}.',
  'bad-worktree-folder.inside':
    'The worktree folder {folder} lies inside {other}. Change the setting to a folder outside the repository.',
  'other-device': '{folder} cannot be moved to {target}, which is on another disk. Choose a folder on the same one.',
  'mounted.deleted':
    '{folder} cannot be deleted because something is mounted in it at {mounts:list}. Unmount it, then try again.',
  'mounted.emptied':
    '{folder} cannot be emptied because something is mounted in it at {mounts:list}. Unmount it, then try again.',
  'mounted.used':
    '{folder} cannot be used because something is mounted in it at {mounts:list}. Unmount it, then try again.',
  'mounted.moved':
    '{folder} cannot be moved because something is mounted in it at {mounts:list}. Unmount it, then try again.',
  'mounted.replaced':
    '{folder} cannot be replaced because something is mounted in it at {mounts:list}. Unmount it, then try again.',
  'not-deletable.protected':
    '{folder} cannot be deleted because of {files:list}, which the system protects. Run sudo chattr -R -i "{folder}", or make its disk writable, then try again.',
  'not-deletable.owner':
    '{folder} cannot be deleted because of {files:list}, which {owner} owns. Run sudo chown -R {user} "{folder}", then try again.',
  'owner.root': 'root',
  'owner.user': 'the user with the ID {user}',

  // What is not as it was when a worktree comes back
  'files-gone':
    'There were no files of {worktree} in the trash ({trash}), so the folder is missing. Resume the session to check its branch out again.',
  'registration-gone':
    "git's record of {worktree} was gone ({registration}), so git does not know the restored files. Copy what you need of them and move the folder away. Then resume the session to check its branch out again.",
  'branch-again': 'The branch {branch} was gone and has been created again.',
  'head-detached.moved':
    'The branch {branch} has moved on, so the worktree is at its own commit {commit}, on no branch.',
  'head-detached.elsewhere':
    'The branch {branch} is checked out in {folder}, so the worktree is at its own commit {commit}, on no branch.',
} as const;
