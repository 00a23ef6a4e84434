// The sources, compiled by Vite: what the comparisons with PyTorch use is not part of the public API.
import { createServer } from 'vite';

/** A server of Vite that loads sources by their path: `await (await openSources()).ssrLoadModule('/src/host/dawn.ts')`. */
export const openSources = () =>
  createServer({
    configFile: false,
    appType: 'custom',
    optimizeDeps: { noDiscovery: true },
    server: { middlewareMode: true, ws: false },
    logLevel: 'error',
  });
