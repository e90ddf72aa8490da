/** What the page's HTML needs to be told: addresses as the webview sees them. */
export interface PageAddresses {
  readonly cspSource: string;
  readonly script: string;
  readonly styles: readonly string[];
  readonly nonce: string;
  /** BCP 47 */
  readonly language: string;
  /** What the page says when it never hears of its host: all other words come by message. */
  readonly reconnecting: string;
}

/** The one inline style that @vscode/webview-ui-toolkit adds (an empty one), by its hash; nothing else inline is allowed. */
const TOOLKIT_STYLE = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='";

/** The page: nothing of a session stands in it, all that comes by messages. */
export function timelineHtml({ cspSource, script, styles, nonce, language, reconnecting }: PageAddresses): string {
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${cspSource} ${TOOLKIT_STYLE}`,
    `font-src ${cspSource}`,
  ].join('; ');
  const links = styles.map((href) => `<link rel="stylesheet" href="${attribute(href)}">`).join('\n');
  return `<!DOCTYPE html>
<html lang="${attribute(language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${attribute(policy)}">
<title>Treeline</title>
${links}
</head>
<body>
<div id="root" data-reconnecting="${attribute(reconnecting)}"></div>
<script nonce="${attribute(nonce)}" src="${attribute(script)}"></script>
</body>
</html>`;
}

function attribute(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}
