/** A program that only carries a script: `/bin/bash -lc SCRIPT`. */
const WRAPPER = /^(?:\S*\/)?(?:ba|z|da|k)?sh -l?c ([\s\S]+)$/;

/** The script inside a command line such as `/bin/bash -lc 'git status'`, for display; any other command line as it is. */
export function unwrapShell(command: string): string {
  const quoted = WRAPPER.exec(command)?.[1];
  return (quoted === undefined ? undefined : unquote(quoted)) ?? command;
}

/** The one word that `quoted` is for a POSIX shell, or undefined when it is not exactly one word. */
function unquote(quoted: string): string | undefined {
  let word = '';
  for (let at = 0; at < quoted.length;) {
    const char = quoted.charAt(at);
    if (char === "'") {
      const end = quoted.indexOf("'", at + 1);
      if (end < 0) return undefined;
      word += quoted.slice(at + 1, end);
      at = end + 1;
    } else if (char === '"') {
      const end = closingQuote(quoted, at + 1);
      if (end < 0) return undefined;
      word += quoted.slice(at + 1, end).replace(/\\(["\\$`])/g, '$1');
      at = end + 1;
    } else if (char === '\\' && at + 1 < quoted.length) {
      word += quoted.charAt(at + 1);
      at += 2;
    } else if (/[\s;&|<>()$`]/.test(char)) {
      return undefined;
    } else {
      word += char;
      at += 1;
    }
  }
  return word;
}

/** Where the double-quoted text from `at` on ends. */
function closingQuote(quoted: string, at: number): number {
  while (at < quoted.length && quoted.charAt(at) !== '"') at += quoted.charAt(at) === '\\' ? 2 : 1;
  return at < quoted.length ? at : -1;
}
