// The peak of JavaScript memory while the weights of NLLB-200-distilled-600M's shape go from a file to an engine.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { Engine } from '../../../src/engine/engine.ts';
import { loadModelFolder } from '../../../src/formats/model-folder.ts';
import { nodeFiles } from '../../../src/host/node-files.ts';
import { parameterList } from '../../../src/model/parameters.ts';
import {
  quantizedParameters,
  type WeightFormat,
  weightParts,
} from '../../../src/model/quantized-parameters.ts';
import { readWeights } from '../../../src/model/read-weights.ts';
import { writeNllbShape } from '../../support/nllb-shape.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-streamed-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** JavaScript memory in bytes: the heap, and the buffers outside it. */
function used(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

it.each(['f32', 'int8'] as const)(
  'takes less than 100 MB above a part, in %s',
  async (format: WeightFormat) => {
    await writeNllbShape(folder);
    const saved = await loadModelFolder(nodeFiles(), folder, { inParts: 'large' });
    expect(saved.weights).toHaveLength(0);
    const { config, stored } = saved;
    if (!stored) throw new Error('the weights are in memory');
    const p = quantizedParameters(parameterList(config), format);
    const part = 4 * Math.max(...[...weightParts(p)].map(({ count }) => count));
    const before = used();
    let [peak, written] = [0, 0];
    const engine = {
      write(_: string, data: ArrayBufferView) {
        written += data.byteLength;
        peak = Math.max(peak, used());
      },
      written: async () => undefined,
    } as unknown as Engine;
    await readWeights(engine, config, p, stored);
    console.log(
      `${format}: ${written / 1e6} MB written, peak ${(peak - before) / 1e6} MB, a part is ${part / 1e6} MB`,
    );
    expect(written).toBeGreaterThan(format === 'f32' ? 2.4e9 : 6e8);
    expect(peak - before).toBeLessThan(part + 100e6);
  },
  600_000,
);
