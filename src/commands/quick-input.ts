import * as vscode from 'vscode';

/** Where a question stands in a row of questions. */
export interface Step {
  readonly title: string;
  readonly step?: number;
  readonly of?: number;
}

/** Asks to choose one item. `items` may still be on their way. Undefined: the user cancelled. */
export async function choose<T extends vscode.QuickPickItem>(
  step: Step,
  placeholder: string,
  items: readonly T[] | Promise<readonly T[]>,
  /** Makes an item of what was typed, where that is an answer too. */
  typed?: (text: string) => T | undefined,
): Promise<T | undefined> {
  const pick = vscode.window.createQuickPick<T>();
  pick.title = step.title;
  pick.step = step.step;
  pick.totalSteps = step.of;
  pick.placeholder = placeholder;
  pick.matchOnDescription = true;
  pick.ignoreFocusOut = true;
  pick.busy = true;
  try {
    return await new Promise<T | undefined>((resolve, reject) => {
      pick.onDidHide(() => resolve(undefined));
      pick.onDidAccept(() => {
        const [chosen] = pick.selectedItems;
        if (chosen !== undefined) {
          resolve(chosen);
        }
      });
      pick.show();
      Promise.resolve(items).then((given) => {
        pick.items = given;
        pick.busy = false;
        if (typed !== undefined) {
          pick.onDidChangeValue((value) => {
            const text = value.trim();
            const own = text === '' || given.some(({ label }) => label === text) ? undefined : typed(text);
            pick.items = own === undefined ? given : [...given, own];
          });
        }
      }, reject);
    });
  } finally {
    pick.dispose();
  }
}

/** A button of an input box. */
export interface InputButton {
  readonly icon: string;
  readonly tooltip: string;
}

export type Typed =
  { readonly kind: 'text'; readonly text: string } | { readonly kind: 'button'; readonly text: string } | undefined;

export interface InputOptions {
  readonly prompt: string;
  readonly placeholder?: string;
  readonly value?: string;
  readonly button?: InputButton;
  /** Why the text will not do; undefined when it will. */
  readonly check?: (text: string) => string | undefined;
}

/** Asks for a line of text. Undefined: the user cancelled. */
export async function ask(step: Step, options: InputOptions): Promise<Typed> {
  const box = vscode.window.createInputBox();
  box.title = step.title;
  box.step = step.step;
  box.totalSteps = step.of;
  box.prompt = options.prompt;
  box.placeholder = options.placeholder;
  box.value = options.value ?? '';
  box.ignoreFocusOut = true;
  if (options.button !== undefined) {
    box.buttons = [{ iconPath: new vscode.ThemeIcon(options.button.icon), tooltip: options.button.tooltip }];
  }
  try {
    return await new Promise<Typed>((resolve) => {
      box.onDidHide(() => resolve(undefined));
      box.onDidTriggerButton(() => resolve({ kind: 'button', text: box.value }));
      box.onDidChangeValue(() => (box.validationMessage = undefined));
      box.onDidAccept(() => {
        const problem = options.check?.(box.value);
        if (problem === undefined) {
          resolve({ kind: 'text', text: box.value });
        } else {
          box.validationMessage = problem;
        }
      });
      box.show();
    });
  } finally {
    box.dispose();
  }
}
