/** The command in a sentence that says how to install an agent: between backticks, or behind `with:`. */
export function installCommand(hint: string): string | undefined {
  return /`([^`]+)`/.exec(hint)?.[1] ?? /\bwith: (.+?)\.?$/.exec(hint)?.[1];
}
