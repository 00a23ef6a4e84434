// A model of MarianMT's size (77 M parameters) with random weights, as Hugging Face stores it and as Marian
// reads it.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { marianModel, marianPositions, numberVocabulary } from './marian-files.mjs';

const standard = {
  model_type: 'marian',
  architectures: ['MarianMTModel'],
  vocab_size: 58101,
  pad_token_id: 58100,
  decoder_start_token_id: 58100,
  eos_token_id: 0,
  forced_eos_token_id: 0,
  d_model: 512,
  max_position_embeddings: 64,
  activation_function: 'swish',
  scale_embedding: true,
  encoder_layers: 6,
  encoder_ffn_dim: 2048,
  encoder_attention_heads: 8,
  decoder_layers: 6,
  decoder_ffn_dim: 2048,
  decoder_attention_heads: 8,
};

/**
 * Writes the model to `folder`, and for Marian to the folder `marian`: model.bin and vocab.spm.
 *
 * @param {string} folder
 * @param {string} marian
 * @param {Partial<typeof standard>} [sizes] other fields of config.json
 */
export function writeRandomMarian(folder, marian, sizes = {}) {
  const config = { ...standard, ...sizes };
  for (const path of [folder, marian]) mkdirSync(path, { recursive: true });
  const tensors = randomTensors(config);
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  writeFileSync(join(folder, 'model.safetensors'), safetensors(tensors));
  writeFileSync(join(marian, 'model.bin'), marianModel(tensors, config));
  const vocabulary = numberVocabulary(config.vocab_size, { end: config.eos_token_id, unknown: 1 });
  writeFileSync(join(marian, 'vocab.spm'), vocabulary);
}

/** The weights by name: uniform (Glorot and Bengio, 2010) in matrices; biases are 0, scales of norms 1. */
function randomTensors(config) {
  const { d_model: D, vocab_size: V, pad_token_id: pad, max_position_embeddings: length } = config;
  const tensors = {};
  const constant = (name, size, value) => {
    tensors[name] = { shape: [size], data: new Float32Array(size).fill(value) };
  };
  const uniform = (name, rows, cols, bound) => {
    tensors[name] = {
      shape: [rows, cols],
      data: Float32Array.from({ length: rows * cols }, () => draw(bound)),
    };
  };
  const linear = (name, out, inner) => {
    uniform(`${name}.weight`, out, inner, Math.sqrt(6 / (inner + out)));
    constant(`${name}.bias`, out, 0);
  };
  const norm = (name) => {
    constant(`${name}.weight`, D, 1);
    constant(`${name}.bias`, D, 0);
  };
  uniform('model.shared.weight', V, D, Math.sqrt(3 / D));
  // Marian starts a translation with zeros, Hugging Face with the embedding of padding.
  tensors['model.shared.weight'].data.fill(0, pad * D, (pad + 1) * D);
  tensors.final_logits_bias = { shape: [1, V], data: new Float32Array(V) };
  for (const stack of ['encoder', 'decoder']) {
    const positions = { shape: [length, D], data: marianPositions(length, D) };
    tensors[`model.${stack}.embed_positions.weight`] = positions;
    for (let n = 0; n < config[`${stack}_layers`]; n++) {
      const layer = `model.${stack}.layers.${n}`;
      for (const block of stack === 'encoder' ? ['self_attn'] : ['self_attn', 'encoder_attn']) {
        for (const part of ['q', 'k', 'v', 'out']) linear(`${layer}.${block}.${part}_proj`, D, D);
        norm(`${layer}.${block}_layer_norm`);
      }
      linear(`${layer}.fc1`, config[`${stack}_ffn_dim`], D);
      linear(`${layer}.fc2`, D, config[`${stack}_ffn_dim`]);
      norm(`${layer}.final_layer_norm`);
    }
  }
  return tensors;
}

let state = 1;

/** A number between -bound and bound (xorshift; Marsaglia, 2003). */
function draw(bound) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (bound * state) / 2 ** 31;
}

/** A file of float32 tensors. */
function safetensors(tensors) {
  let at = 0;
  const header = {};
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    header[name] = { dtype: 'F32', shape, data_offsets: [at, at + data.byteLength] };
    at += data.byteLength;
  }
  const text = Buffer.from(JSON.stringify(header).padEnd(Math.ceil(JSON.stringify(header).length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const parts = Object.values(tensors).map(({ data }) => Buffer.from(data.buffer));
  return Buffer.concat([length, text, ...parts]);
}
