/**
 * Drives a VS Code workbench as its user does. All knowledge of the workbench's page (roles, classes, frames) stands in
 * this file, so that a new VS Code changes one file.
 */
import type { Browser, BrowserContext, FrameLocator, Locator, Page } from 'playwright-core';
import { patience } from './patience.mts';
import type { VscodeServer } from './vscode-server.mts';

const SECONDS = 1_000;

/** After how long a person clicks again where nothing happened: ms. */
const again = (): number => Math.min(patience(5 * SECONDS), 20 * SECONDS);

/** After how long the command palette is opened again that does not show a command: ms. */
const anew = (): number => Math.min(patience(2 * SECONDS), 10 * SECONDS);

/** Whether something can be seen before a person would click again. */
function isSeen(what: Locator): Promise<boolean> {
  return what
    .first()
    .waitFor({ timeout: again() })
    .then(
      () => true,
      () => false,
    );
}

export class Workbench {
  readonly page: Page;
  readonly #context: BrowserContext;

  private constructor(page: Page, context: BrowserContext) {
    this.page = page;
    this.#context = context;
  }

  /** Opens the folder in a new window (a browser context of its own: nothing shared but the server). */
  static async open(
    browser: Browser,
    server: VscodeServer,
    folder: string,
    { width = 1280, height = 800 }: { width?: number; height?: number } = {},
  ): Promise<Workbench> {
    const context = await browser.newContext({ viewport: { width, height } });
    // A busy machine may take its time; who waits for what never comes, waits a little longer.
    context.setDefaultTimeout(60 * SECONDS);
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: new URL(server.url).origin });
    const page = await context.newPage();
    const workbench = new Workbench(page, context);
    await page.goto(server.open(folder));
    await workbench.ready();
    return workbench;
  }

  /** Waits until the workbench is drawn and its extension host runs the extensions. */
  async ready(): Promise<void> {
    await this.page.locator('.monaco-workbench').waitFor({ timeout: 60 * SECONDS });
    await this.page
      .locator('.statusbar-item')
      .first()
      .waitFor({ timeout: 60 * SECONDS });
  }

  /** As a person reloads the page: it and its extension host end, new ones start. */
  async reload(): Promise<void> {
    await this.page.reload();
    await this.ready();
  }

  /** By the editor's own command, which writes down first what is open. `meanwhile` is done as soon as the old page has gone. */
  async reloadWindow({ meanwhile }: { meanwhile?: () => Promise<void> } = {}): Promise<void> {
    const loaded = this.page.waitForEvent('load');
    await this.command('Developer: Reload Window');
    await loaded;
    await meanwhile?.();
    await this.ready();
  }

  /**
   * Reloads, and resolves with the moment at which the side bar shows the text: ms since the epoch, at the beginning of the first
   * frame after the one that drew it. The container must have been shown for some seconds: the editor remembers it no sooner.
   */
  async reloadUntil(text: RegExp): Promise<number> {
    await this.page.reload({ waitUntil: 'commit' });
    return this.page.evaluate(
      ({ wanted, patience }) =>
        new Promise<number>((resolve, reject) => {
          const look = (): void => {
            const shown = document.querySelector('.part.sidebar')?.textContent ?? '';
            if (new RegExp(wanted).test(shown)) resolve(performance.timeOrigin + performance.now());
            else if (performance.now() > patience) {
              reject(new Error(`The side bar does not show ${wanted} but: ${shown}`));
            } else requestAnimationFrame(look);
          };
          look();
        }),
      { wanted: text.source, patience: 60 * SECONDS },
    );
  }

  async close(): Promise<void> {
    await this.#context.close();
  }

  /** Writes what the window shows to a PNG. */
  async screenshot(file: string): Promise<void> {
    await this.page.screenshot({ path: file, animations: 'disabled' });
  }

  /** Does something that copies a text, and returns that text. */
  async copied(action: () => Promise<void>): Promise<string> {
    const text = (): Promise<string> => this.page.evaluate(() => navigator.clipboard.readText());
    await this.page.evaluate(() => navigator.clipboard.writeText(''));
    await this.#repeated(action, async () => {
      // Nothing tells that the clipboard has changed.
      for (const end = Date.now() + again(); Date.now() < end && (await text()) === '';) {
        await this.page.waitForTimeout(50);
      }
      return (await text()) !== '';
    });
    return text();
  }

  /**
   * Does what may be lost, and does it again until it was heard: a row that is drawn anew between the pointer's coming and its click
   * takes the click with it, or leaves a command without the row, which then asks for it. People click again.
   */
  async #repeated(action: () => Promise<void>, isHeard: () => Promise<boolean>): Promise<void> {
    for (let tries = 1; tries <= 4; tries += 1) {
      await action();
      if (await isHeard()) return;
      await this.page.keyboard.press('Escape');
    }
    throw new Error('What was clicked four times did nothing');
  }

  // ---- commands and quick inputs

  /** The quick pick or input box that is open. */
  get quickInput(): Locator {
    return this.page.locator('.quick-input-widget');
  }

  /** The rows that the open quick pick shows. */
  get quickRows(): Locator {
    return this.quickInput.getByRole('option');
  }

  /** Types into the command palette, and waits until it shows a row with the text. */
  async palette(text: string, shows: string): Promise<Locator> {
    // The palette lists an extension's commands only once the extension host knows them, and an open palette is not
    // filled later: open it again until the text is there.
    const row = this.quickInput.getByRole('option', { name: shows }).first();
    const deadline = Date.now() + 60 * SECONDS;
    for (;;) {
      await this.page.keyboard.press('F1');
      try {
        // A key that comes while the focus moves is lost.
        await this.quickInput.locator('input').first().fill(`>${text}`, { timeout: anew() });
        await row.waitFor({ timeout: anew() });
        return row;
      } catch (error) {
        if (Date.now() > deadline) throw new Error(`The command palette has no "${shows}"`, { cause: error });
        await this.page.keyboard.press('Escape');
      }
    }
  }

  /** Runs a command from the command palette by its full title, for instance "Treeline: Spawn Agent…". */
  async command(title: string): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      const row = await this.palette(title, title);
      try {
        await row.click({ timeout: again() });
        return;
      } catch (error) {
        if (tries === 3) throw error;
        await this.page.keyboard.press('Escape');
      }
    }
  }

  /** Waits for the input box with this title or prompt, types the text and accepts it. */
  async answer(text: string, { asked }: { asked: string | RegExp }): Promise<void> {
    await this.#asked(asked);
    const box = this.quickInput.locator('input, textarea').first();
    await box.fill(text);
    // Into the box, wherever the focus has gone meanwhile.
    await box.press('Enter');
  }

  /** Waits for the input box with this title or prompt and presses a button of its title bar. */
  async inputButton(button: string, { asked }: { asked: string | RegExp }): Promise<void> {
    await this.#asked(asked);
    await this.quickInput.getByRole('button', { name: button }).click();
  }

  /** Waits for the quick pick with this title or placeholder and chooses the row whose label has the text. */
  async choose(label: string | RegExp, { asked }: { asked: string | RegExp }): Promise<void> {
    const question = await this.#asked(asked);
    const chosen = question
      .getByRole('option')
      .filter({ hasText: label })
      .first()

      .click({ timeout: 30 * SECONDS });
    // A row that is drawn anew while it is clicked takes the click, and is not there to say so.
    await Promise.any([chosen, question.waitFor({ state: 'hidden', timeout: 30 * SECONDS })]);
  }

  /** The input box or quick pick with this title, prompt or placeholder. */
  question(asked: string | RegExp): Locator {
    const byText = this.quickInput.filter({ hasText: asked });
    const byPlaceholder = this.quickInput.filter({ has: this.page.getByPlaceholder(asked) });
    return byText.or(byPlaceholder).first();
  }

  async #asked(asked: string | RegExp): Promise<Locator> {
    const question = this.question(asked);
    await question.waitFor({ timeout: 30 * SECONDS });
    return question;
  }

  // ---- side bar

  /** Shows a view container by the name on its tab in the activity bar. */
  async showContainer(name: string): Promise<void> {
    const tab = this.page.locator('.activitybar').getByRole('tab', { name, exact: false }).first();
    await tab.waitFor({ timeout: 30 * SECONDS });
    // While a window is restored, a click may come just after the container was opened, and close it.
    const open = tab.and(this.page.locator('[aria-expanded=true]'));
    if ((await open.count()) === 0) {
      let wasShown = false;
      const click = async (): Promise<void> => {
        wasShown = await this.sideBar.isVisible();
        await tab.click();
      };
      const closed = (): Promise<boolean> =>
        this.sideBar.waitFor({ state: 'hidden', timeout: again() }).then(
          () => false,
          () => false,
        );
      await this.#repeated(click, () => Promise.race([isSeen(open), ...(wasShown ? [closed()] : [])]));
    }
    await this.sideBar.waitFor();
  }

  get sideBar(): Locator {
    return this.page.locator('.part.sidebar');
  }

  /** Drags the side bar's edge until it has this width in CSS pixels. */
  async resizeSideBar(width: number): Promise<void> {
    const box = await this.sideBar.boundingBox();
    if (box === null) throw new Error('The side bar is hidden');
    const y = box.y + box.height / 2;
    await this.page.mouse.move(box.x + box.width, y);
    await this.page.mouse.down();
    await this.page.mouse.move(box.x + width, y, { steps: 5 });
    await this.page.mouse.up();
  }

  /** The header of a view in the side bar, for instance "Sessions". */
  viewHeader(name: string): Locator {
    return this.sideBar.locator('.pane-header').filter({ hasText: name });
  }

  /** One view of the side bar, header and body. */
  view(name: string): Locator {
    return this.sideBar.locator('.pane').filter({ has: this.page.locator('.pane-header', { hasText: name }) });
  }

  /** A row of a tree; its name is the item's accessible label. */
  treeItem(name: string | RegExp): Locator {
    return this.sideBar.getByRole('treeitem', { name });
  }

  /** Clicks an inline action of a tree row (they show while the pointer is over it), and waits for what it brings. */
  async treeAction(item: string | RegExp, action: string, brings: Locator): Promise<void> {
    await this.#fromRow(item, brings, async (row) => {
      await row.hover();
      await row.getByRole('button', { name: action }).first().click({ timeout: again() });
    });
  }

  /** Chooses from the context menu of a tree row, and waits for what that brings, if that can be seen. */
  async treeMenu(item: string | RegExp, entry: string, brings?: Locator): Promise<void> {
    const choose = async (row: Locator): Promise<void> => {
      await row.click({ button: 'right', timeout: again() });
      // The menu ignores a mouse button that comes at once (it may be the one that opened it): choose by keyboard.
      await this.page
        .locator('.monaco-menu')
        .getByRole('menuitem', { name: entry })
        .first()
        .hover({ timeout: again() });
      await this.page.keyboard.press('Enter');
    };
    if (brings === undefined) await choose(this.treeItem(item).first());
    else await this.#fromRow(item, brings, choose);
  }

  /** Clicks a tree row, and waits for what it brings. */
  async treeClick(item: string | RegExp, brings: Locator): Promise<void> {
    await this.#fromRow(item, brings, (row) => row.click({ timeout: again() }));
  }

  async #fromRow(item: string | RegExp, brings: Locator, act: (row: Locator) => Promise<void>): Promise<void> {
    const row = this.treeItem(item).first();
    await row.waitFor();
    await this.#repeated(
      // The row may be another one by now: it did hear.
      () => act(row).catch(() => undefined),
      () => isSeen(brings),
    );
  }

  /** The number on a container's icon, or '' without one. */
  async badge(container: string): Promise<string> {
    const tab = this.page
      .locator('.activitybar .action-item')
      .filter({ has: this.page.getByRole('tab', { name: container }) });
    const content = tab.locator('.badge-content').first();
    return (await content.count()) === 0 ? '' : ((await content.textContent()) ?? '').trim();
  }

  // ---- editors

  /** The tab of an editor. */
  tab(name: string | RegExp): Locator {
    return this.page.locator('.tabs-container').getByRole('tab', { name });
  }

  /** The same where its editor is the one that shows. */
  shownTab(name: string | RegExp): Locator {
    return this.tab(name).and(this.page.locator('[aria-selected=true]'));
  }

  /** Shows an editor that is open, by its tab. */
  async showTab(name: string | RegExp): Promise<void> {
    const tab = this.tab(name).first();
    await tab.waitFor();
    // While a window is restored, its tabs are drawn anew.
    await this.#repeated(
      () => tab.click({ timeout: again() }).catch(() => undefined),
      () => isSeen(this.shownTab(name)),
    );
  }

  /** The text that the active editor shows (the lines on screen only). */
  get editorText(): Locator {
    return this.page.locator('.editor-group-container.active .view-lines').first();
  }

  /** Types into the text editor that is open, at its end, as a paste does (nothing is completed or indented). */
  async typeIntoEditor(text: string): Promise<void> {
    await this.page.locator('.editor-group-container.active .monaco-editor').first().click();
    await this.page.keyboard.press('Control+End');
    await this.page.keyboard.insertText(text);
    await this.editorText.filter({ hasText: text.split('\n').at(-1)! }).waitFor();
  }

  /** The files of the multi-diff editor that is open. */
  get multiDiffFiles(): Locator {
    return this.page.locator('.multiDiffEntry');
  }

  /** The document inside the webview panel that is showing; `index` counts when several do. */
  webview(index = 0): FrameLocator {
    return this.page.locator('iframe.webview').nth(index).contentFrame().locator('iframe#active-frame').contentFrame();
  }

  // ---- messages and status

  /** A notification toast or an entry of the notification centre. */
  notification(text: string | RegExp): Locator {
    return this.page.locator('.notification-list-item').filter({ hasText: text });
  }

  /** Presses a button of a notification; the notification centre has it still when its toast has gone. */
  async notificationAction(text: string | RegExp, button: string): Promise<void> {
    const wanted = this.notification(text).first().getByRole('button', { name: button });
    for (let tries = 1; ; tries += 1) {
      try {
        await wanted.click({ timeout: again() });
        return;
      } catch (error) {
        if (tries === 4) throw error;
        await this.command('Notifications: Show Notifications');
      }
    }
  }

  /** A modal dialog. */
  dialog(text: string | RegExp): Locator {
    return this.page.locator('.monaco-dialog-box').filter({ hasText: text });
  }

  statusBarItem(name: string | RegExp): Locator {
    return this.page.locator('.statusbar-item').filter({ hasText: name });
  }
}
