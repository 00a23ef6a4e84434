// A memory budget is checked before the weights of a model are downloaded.

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadModel } from '../../src/entries/load-with-features.ts';
import type { Files } from '../../src/files/files.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { registerHost } from '../../src/session/host.ts';
import { type Hub, startHub } from '../files/hub/hub.ts';
import { errorAbout } from '../support/expect-error.ts';
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
    device: 'cpu' as const,
    hub: hub.url,
    memoryBudget: 2000,
    onEvent: (event: { readonly type: string; readonly text?: string }) => void said.push(event.text ?? ''),
  };
  const failed = loadModel('me/it', options);
  await expect(failed).rejects.toThrow(errorAbout({ kind: 'memory', values: ['me/it', 'weights'] }));
  expect(hub.log.some(({ method, path }) => method === 'GET' && path.endsWith('.safetensors'))).toBe(false);
  // With a larger budget it goes on to the weights, which are no weights here.
  await expect(loadModel('me/it', { ...options, memoryBudget: 2 ** 30 })).rejects.toThrow(
    errorAbout({ area: expect.stringMatching(/\bmodel\.safetensors$/) }),
  );
  expect(said.filter((text) => text.startsWith('me/it needs '))).toHaveLength(1);
});

it('loadModel downloads no file of a URL above the budget', async () => {
  const options = { device: 'cpu', memoryBudget: 2000 } as const;
  const sent: string[] = [];
  const server = createServer(({ url = '' }, response) => {
    sent.push(url);
    if (url.endsWith('config.json')) response.end(JSON.stringify(smallHfJson('bart')));
    else response.writeHead(200, { 'Content-Length': 5000 }).end(new Uint8Array(5000));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    await expect(loadModel(`${at}/model`, options)).rejects.toThrow(
      errorAbout({ kind: 'memory', values: ['weights', 'activations', 'JavaScript'] }),
    );
    expect(sent).toEqual(['/model/config.json']);
    await expect(loadModel(`${at}/model.zip`, options)).rejects.toMatchObject({
      kind: 'memory',
      message: expect.stringContaining('a file of 4.9 KiB is above the memory budget of 2.0 KiB'),
    });
  } finally {
    server.close();
  }
});

it('a folder is checked before its weights are read', async () => {
  const files = memoryFiles(
    new Map([['m/config.json', new TextEncoder().encode(JSON.stringify(smallHfJson('bart')))]]),
  );
  const read: string[] = [];
  const counting: Files = {
    ...files,
    read(path) {
      read.push(path);
      return files.read(path);
    },
  };
  registerHost({ ...nodeHost(), files: counting });
  try {
    await expect(loadModel('m', { device: 'cpu', memoryBudget: 2000 })).rejects.toThrow(
      errorAbout({ kind: 'memory', values: ['m'] }),
    );
    expect(read).toEqual(['m/config.json']);
  } finally {
    registerHost(nodeHost());
  }
});
