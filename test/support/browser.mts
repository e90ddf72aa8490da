/** The browser that shows the test VS Code, or a webview alone: the machine's Chromium, driven by playwright-core. */
import { chromium, type Browser } from 'playwright-core';
import { findChromium } from '../setup/browser.mjs';

/** A headless browser with an empty profile. Close it after the test. */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error('There is no Chromium: sudo apt-get install chromium');
  return chromium.launch({
    executablePath,
    args: [
      // As root there is no sandbox; the only pages are this machine's own.
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
