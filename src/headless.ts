// The public API for Node alone, imported as 'heddle/headless': WebGPU through Dawn, and through a headless Chrome.
export { type Chrome, type ChromeOptions, findChrome, launchChrome, type PageListeners } from './host/chrome.ts';
export { type DawnOptions, dawnGpu } from './host/dawn.ts';
export { type FolderServer, serveFolder } from './host/server.ts';
