import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { timelineHtml } from '../../../src/views/timeline-html.ts';

describe('the page', () => {
  it('lets nothing run but its own script, and nothing load but its own files', () => {
    const html = timelineHtml({
      cspSource: 'https://example.invalid',
      script: 'https://example.invalid/webview.js?a=1&b="',
      styles: ['https://example.invalid/webview.css'],
      nonce: 'abc',
      language: 'en',
      reconnecting: 'Verbindung "wird" hergestellt',
    });
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1];
    assert.equal(
      policy,
      "default-src 'none'; script-src 'nonce-abc'; style-src https://example.invalid " +
        "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; font-src https://example.invalid",
    );
    assert.equal([...html.matchAll(/<script/g)].length, 1);
    assert.ok(html.includes('src="https://example.invalid/webview.js?a=1&amp;b=&quot;"'));
    assert.ok(html.includes('<div id="root" data-reconnecting="Verbindung &quot;wird&quot; hergestellt"></div>'));
  });
});
