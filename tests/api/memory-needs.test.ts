// A memory budget is checked before the weights of a model are downloaded.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadModel } from '../../src/api/load-model.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { registerHost } from '../../src/session/host.ts';
import { type Hub, startHub } from '../files/hub/hub.ts';
import { smallHfJson } from '../support/hf.ts';

registerHost(nodeHost());

const folder = mkdtempSync(join(tmpdir(), 'heddle-budget-'));
let hub: Hub;
beforeAll(async () => {
  process.env.HEDDLE_CACHE = join(folder, 'cache');
  hub = await startHub({
    'config.json': new TextEncoder().encode(JSON.stringify(smallHfJson('bart'))),
    'model.safetensors': new Uint8Array(10),
  });
});
afterAll(async () => {
  delete process.env.HEDDLE_CACHE;
  await hub.close();
  rmSync(folder, { recursive: true });
});

it('loadModel says what is needed, and downloads no weights above the budget', async () => {
  const said: string[] = [];
  const options = {
    ...({ device: 'cpu', hub: hub.url, memoryBudget: 2000 } as const),
    onEvent: (event: { readonly type: string; readonly text?: string }) => void said.push(event.text ?? ''),
  };
  const failed = loadModel('me/it', options);
  await expect(failed).rejects.toMatchObject({ kind: 'memory' });
  await expect(failed).rejects.toThrow(
    /^me\/it needs .* \(weights .*; the memory budget is 2.0 KiB; no format/,
  );
  expect(hub.log.some(({ method, path }) => method === 'GET' && path.endsWith('.safetensors'))).toBe(false);
  // With a larger budget it goes on to the weights, which are no weights here.
  await expect(loadModel('me/it', { ...options, memoryBudget: 2 ** 30 })).rejects.toThrow('safetensors');
  expect(said.filter((text) => text.startsWith('me/it needs '))).toHaveLength(1);
});
