// The public API for Node alone, imported as 'heddle/headless': WebGPU through Dawn, and through a headless Chrome; files on disk.
// docs/headless.md shows how a page is run.
export type { AdapterDescription } from './host/adapter-info.ts';
export { type Chrome, type ChromeOptions, launchChrome, type PageListeners } from './host/chrome.ts';
export { findChrome } from './host/chrome-program.ts';
export { type DawnOptions, dawnGpu } from './host/dawn.ts';
export { nodeFiles } from './host/node-files.ts';
export { type PageCall, runInPage } from './host/run-in-page.ts';
export { type FolderServer, serveFolder } from './host/static-server.ts';
