/**
 * The entry 'heddle/headless', for Node: starts Chrome or Firefox without a window and runs functions of a
 * page in it (docs/headless.md).
 *
 * @module heddle/headless
 */

export type { AdapterDescription } from '../host/adapter-info.ts';
export type { BrowserOptions, HeadlessBrowser, PageListeners } from '../host/browser.ts';
export { type Chrome, type ChromeOptions, launchChrome } from '../host/chrome.ts';
export { type Firefox, type FirefoxOptions, launchFirefox } from '../host/firefox.ts';
export { findChrome, findFirefox } from '../host/programs.ts';
export { type PageCall, runInPage } from '../host/run-in-page.ts';
export { type FolderServer, type RequestHandler, serveFolder } from '../host/static-server.ts';
