// Adapters below the limits that heddle needs: an error that names the limit.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadModel } from '../../src/entries/load-with-features.ts';
import { saveModelFolder } from '../../src/formats/save-heddle.ts';
import { nodeFiles } from '../../src/host/node-files.ts';
import { neededLimits } from '../../src/session/session-device.ts';
import '../../src/entries/node.ts';
import { letterModel } from '../support/saved-model.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-limits-'));
beforeAll(() => saveModelFolder(nodeFiles(), folder, letterModel()));
afterAll(() => rmSync(folder, { recursive: true }));

const adapterWith = (limits: object): GPU =>
  ({ requestAdapter: async () => ({ limits, features: new Set() }) }) as unknown as GPU;

async function translate(device: GPU): Promise<void> {
  const model = await loadModel(folder, { device });
  await model.translate('a');
}

describe.each(Object.entries(neededLimits))('with a %s below %i', (name, needed) => {
  const limits = { ...neededLimits, [name]: needed / 2 };
  const refusal = { kind: 'unsupported', message: expect.stringMatching(`${name} is .* is required`) };

  it('an adapter is refused', async () => {
    await expect(translate(adapterWith(limits))).rejects.toMatchObject(refusal);
  });
});
