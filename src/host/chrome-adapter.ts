// Which adapter a page in Chrome gets, asked on an empty page of our own, since WebGPU needs a secure context.

import { HeddleError } from '../core/errors.ts';
import type { AdapterDescription } from './adapter-info.ts';
import type { Chrome } from './chrome.ts';
import { serveFolder } from './static-server.ts';
import { within } from './with-timeout.ts';

/** Milliseconds that Chrome may look for an adapter: a driver that is set up badly can take forever. */
const patience = 20_000;

/** Describes the adapter. Throws a HeddleError where there is none, or where Chrome does not answer in time. */
export async function describeChromeAdapter(chrome: Pick<Chrome, 'openPage'>): Promise<AdapterDescription> {
  const server = await serveFolder(undefined);
  try {
    const page = await chrome.openPage(server.url);
    // What page.ts does by describeAdapter; a function that goes into a page can take nothing with it.
    const asked = page.evaluate(async () => {
      const adapter = await navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' });
      if (!adapter) return undefined;
      const { vendor, architecture, device, description, subgroupMinSize: min, subgroupMaxSize: max } = adapter.info;
      const limits: Record<string, number> = {};
      for (const name in adapter.limits) {
        const value = (adapter.limits as unknown as Record<string, unknown>)[name];
        if (typeof value === 'number') limits[name] = value;
      }
      return {
        ...{ host: 'Chrome', vendor, architecture, device, description },
        software: adapter.info.isFallbackAdapter || architecture === 'swiftshader',
        subgroups: min && max ? { min, max } : null,
        features: [...adapter.features].sort(),
        limits,
      };
    });
    const found = await within(patience, 'Chrome looking for a GPU', asked);
    await page.close();
    if (!found) throw new HeddleError('no WebGPU adapter in Chrome');
    return found;
  } finally {
    await server.close();
  }
}
