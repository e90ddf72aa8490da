import * as vscode from 'vscode';
import { nonEmpty, parseJson, shape } from '../platform/check.ts';
import { healthReport, type Examined } from '../sessions/health-report.ts';
import type { Finding, Severity } from '../sessions/finding.ts';
import { iconless, linkless, oneLine } from '../views/plain.ts';
import { readCheckHealth } from './arguments.ts';
import type { CommandContext } from './context.ts';
import { withProgress } from './progress.ts';
import { choose } from './quick-input.ts';
import { optionsOf } from './session-arg.ts';
import { commandId } from './table.ts';

const REPORT = vscode.Uri.parse('treeline-health:/Treeline%20Health.md');

/** The last report, as a document that can only be read. */
class HealthReports implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.#changed.event;
  #text = '';
  #registered: vscode.Disposable | undefined;

  provideTextDocumentContent(): string {
    return this.#text;
  }

  async show(text: string): Promise<void> {
    this.#registered ??= vscode.workspace.registerTextDocumentContentProvider(REPORT.scheme, this);
    this.#text = text;
    this.#changed.fire(REPORT);
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(REPORT), { preview: true });
  }

  dispose(): void {
    this.#registered?.dispose();
    this.#registered = undefined;
  }
}

export const healthReports = new HealthReports();

/**
 * Looks for what is not as it should be, lists it, and repairs what the user chooses, after it showed what it will do.
 * Resolves with what was found at last; `show: false` only looks.
 */
export async function checkHealth(context: CommandContext, options: unknown): Promise<readonly Examined[] | undefined> {
  const { show = true } = readCheckHealth(optionsOf(options, 'show'), commandId('checkHealth'));
  await context.loaded();
  for (;;) {
    const examined = await withProgress(vscode.l10n.t('Checking health'), ({ signal }) =>
      context.treeline.examine(signal),
    );
    if (!show) {
      return examined;
    }
    const chosen = await choose(
      { title: vscode.l10n.t('Treeline: Health') },
      examined.some(({ findings }) => findings.some(({ severity }) => severity !== 'info'))
        ? vscode.l10n.t('Select a problem to preview its fix')
        : vscode.l10n.t('No problems found'),
      items(examined),
    );
    if (chosen === undefined) {
      return examined;
    }
    if (chosen.finding === undefined) {
      await healthReports.show(healthReport(examined, await version(context), Date.now()));
      return examined;
    }
    await repair(chosen.finding);
  }
}

interface Item extends vscode.QuickPickItem {
  readonly finding?: Finding;
}

const ICONS: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', info: 'info' };

function items(examined: readonly Examined[]): readonly Item[] {
  const found = examined.flatMap(({ where, findings }): readonly Item[] =>
    findings.length === 0
      ? []
      : [
          { label: iconless(where), kind: vscode.QuickPickItemKind.Separator },
          ...findings.map((finding) => ({
            label: iconless(finding.sentence),
            detail: iconless(finding.evidence[0] ?? ''),
            iconPath: new vscode.ThemeIcon(ICONS[finding.severity]),
            finding,
          })),
        ],
  );
  const report: Item = { label: vscode.l10n.t('Open Full Report'), iconPath: new vscode.ThemeIcon('markdown') };
  return [...found, { label: '', kind: vscode.QuickPickItemKind.Separator }, report];
}

/** Shows what was found and what would be done about it, and does it if the user wants that. */
async function repair({ sentence, evidence, repair: offered }: Finding): Promise<void> {
  const lines = (texts: readonly string[]): string => texts.map((text) => `• ${oneLine(text)}`).join('\n');
  const detail = [
    lines(evidence),
    ...(offered === undefined ? [] : [vscode.l10n.t('Treeline will:'), lines(offered.plan)]),
  ];
  const options = { modal: true, detail: detail.join('\n\n') };
  if (offered === undefined) {
    await vscode.window.showInformationMessage(linkless(sentence), options);
    return;
  }
  const chosen = await vscode.window.showWarningMessage(linkless(sentence), options, offered.title);
  if (chosen === offered.title) {
    await withProgress(offered.title, () => offered.run());
  }
}

async function version({ extensionUri }: CommandContext): Promise<string> {
  const manifest = await vscode.workspace.fs.readFile(vscode.Uri.joinPath(extensionUri, 'package.json'));
  return parseJson(Buffer.from(manifest).toString('utf8'), shape({ version: nonEmpty }), 'package.json').version;
}
