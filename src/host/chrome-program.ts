// Finds the system's Chrome or Chromium.
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Program names (searched in PATH) and paths of Chrome, in the order in which they are tried. scripts/install.mjs has
 * the same list.
 */
export const CHROME_PROGRAMS = [
  'google-chrome-stable',
  'google-chrome',
  'chromium',
  'chromium-browser',
  '/usr/lib/chromium/chromium',
  '/opt/google/chrome/chrome',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe',
];

/**
 * Path of the system's Chrome or Chromium: PUPPETEER_EXECUTABLE_PATH or CHROME_PATH if set, else the first of
 * CHROME_PROGRAMS that exists. Returns undefined if there is none.
 *
 * @example
 * const chrome = await launchChrome({ executablePath: findChrome() });
 */
export function findChrome(): string | undefined {
  const named = process.env.PUPPETEER_EXECUTABLE_PATH || process.env.CHROME_PATH;
  if (named) return named;
  for (const program of CHROME_PROGRAMS) {
    if (/[\\/]/.test(program)) {
      if (isProgram(program)) return program;
      continue;
    }
    for (const folder of (process.env.PATH ?? '').split(delimiter)) {
      const path = join(folder, program);
      if (folder && isProgram(path)) return path;
    }
  }
  return undefined;
}

/** Whether `path` is a file that can be executed. */
export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Error message for a machine without Chrome. */
export function noChromeMessage(): string {
  const remedy = process.platform === 'linux' ? ' (Debian: apt-get install chromium)' : '';
  return `no Chrome found: install Chrome or Chromium${remedy}, or set CHROME_PATH to its program`;
}
