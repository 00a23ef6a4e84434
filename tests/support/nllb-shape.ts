// A folder with the shape of facebook/nllb-200-distilled-600M whose weights are zeros.

import { openSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { sizeOf } from '../../src/core/tensor.ts';
import { hfTensors } from '../../src/formats/hf/hf-tensors.ts';
import { loadModelFolder } from '../../src/formats/model-folder.ts';
import { nodeFiles } from '../../src/host/node-files.ts';
import { parameterList } from '../../src/model/parameters.ts';

/** The config.json of facebook/nllb-200-distilled-600M, without fields that heddle does not read. */
const nllb = {
  model_type: 'm2m_100',
  architectures: ['M2M100ForConditionalGeneration'],
  vocab_size: 256_206,
  d_model: 1024,
  encoder_layers: 12,
  decoder_layers: 12,
  max_position_embeddings: 1024,
  encoder_attention_heads: 16,
  decoder_attention_heads: 16,
  encoder_ffn_dim: 4096,
  decoder_ffn_dim: 4096,
  activation_function: 'relu',
  scale_embedding: true,
  is_encoder_decoder: true,
  bos_token_id: 0,
  pad_token_id: 1,
  eos_token_id: 2,
  decoder_start_token_id: 2,
};

/** Writes the folder. The weights are a sparse file of zeros: it has 2.3 GiB, but takes no place on the disk. */
export async function writeNllbShape(folder: string): Promise<void> {
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
