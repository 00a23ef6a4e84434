// The entry 'heddle/headless', for Node: starts Chrome without a window and runs functions of a page in it
// (docs/headless.md).

export type { AdapterDescription } from './host/adapter-info.ts';
export { type Chrome, type ChromeOptions, launchChrome, type PageListeners } from './host/chrome.ts';
export { findChrome } from './host/chrome-program.ts';
export { type PageCall, runInPage } from './host/run-in-page.ts';
export type { RequestHandler } from './host/static-server.ts';
export { type FolderServer, serveFolder } from './host/static-server.ts';
