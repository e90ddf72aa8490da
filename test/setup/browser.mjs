// The Chromium that shows the test VS Code: the machine's own, never a download.
import { existsSync } from 'node:fs';

const usual = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** The browser's path ($CHROMIUM first), or undefined when there is none. */
export function findChromium() {
  return [process.env.CHROMIUM, ...usual].find((file) => file && existsSync(file));
}

/** The Debian packages that are missing for the browser. */
export function missingBrowserPackages() {
  return findChromium() === undefined ? ['chromium'] : [];
}
