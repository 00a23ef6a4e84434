// The public API for Node alone, imported as 'heddle/headless': WebGPU through Dawn, and through a headless Chrome; files on disk.
export { type Chrome, type ChromeOptions, findChrome, launchChrome, type PageListeners } from './host/chrome.ts';
export { type DawnOptions, dawnGpu } from './host/dawn.ts';
export { nodeFiles } from './host/node-files.ts';
export { type FolderServer, serveFolder } from './host/server.ts';
