// The peak of JavaScript memory while the weights of NLLB-200-distilled-600M's shape go from a file to an engine.

import { mkdtempSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { sizeOf } from '../../../src/core/tensor.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { hfTensors } from '../../../src/formats/hf/hf-tensors.ts';
import { loadModelFolder } from '../../../src/formats/model-folder.ts';
import { nodeFiles } from '../../../src/host/node-files.ts';
import { parameterList } from '../../../src/model/parameters.ts';
import {
  quantizedParameters,
  type WeightFormat,
  weightParts,
} from '../../../src/model/quantized-parameters.ts';
import { readWeights } from '../../../src/model/read-weights.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-streamed-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The config.json of facebook/nllb-200-distilled-600M, without fields that heddle does not read. */
const nllb = {
  ...{ model_type: 'm2m_100', architectures: ['M2M100ForConditionalGeneration'], vocab_size: 256_206 },
  ...{ d_model: 1024, encoder_layers: 12, decoder_layers: 12, max_position_embeddings: 1024 },
  ...{
    encoder_attention_heads: 16,
    decoder_attention_heads: 16,
    encoder_ffn_dim: 4096,
    decoder_ffn_dim: 4096,
  },
  ...{ activation_function: 'relu', scale_embedding: true, is_encoder_decoder: true },
  ...{ bos_token_id: 0, pad_token_id: 1, eos_token_id: 2, decoder_start_token_id: 2 },
};

/** Writes a folder whose weights are a sparse file of zeros: it has 2.3 GiB, but takes no place on the disk. */
async function writeFolder(): Promise<void> {
  writeFileSync(join(folder, 'config.json'), JSON.stringify(nllb));
  const { config } = await loadModelFolder(nodeFiles(), folder, { inParts: true }); // random weights
  const header: Record<string, unknown> = {};
  let at = 0;
  for (const { name, shape } of hfTensors(config, parameterList(config))) {
    header[name] = { dtype: 'F32', shape, data_offsets: [at, at + 4 * sizeOf(shape)] };
    at += 4 * sizeOf(shape);
  }
  const text = JSON.stringify(header);
  const json = new TextEncoder().encode(text.padEnd(Math.ceil(text.length / 8) * 8));
  const path = join(folder, 'model.safetensors');
  const file = openSync(path, 'w');
  writeSync(file, new Uint8Array(new BigUint64Array([BigInt(json.length)]).buffer));
  writeSync(file, json);
  truncateSync(path, 8 + json.length + at);
}

/** JavaScript memory in bytes: the heap, and the buffers outside it. */
function used(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

it.each(['f32', 'int8'] as const)(
  'takes less than 100 MB above a part, in %s',
  async (format: WeightFormat) => {
    await writeFolder();
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
