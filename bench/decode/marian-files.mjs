// Files that Marian reads, as bergamot-translator (Marian as wasm) takes them: a MarianMT model of Hugging
// Face's layout in Marian's binary format, and a SentencePiece vocabulary whose words are the numbers of the
// tokens. Both are written in float32, without a shortlist.

/** Type numbers of Marian's binary format: the kind of number plus its bytes. */
const types = { float32: 0x404, int8: 0x101 };

/**
 * The positions of Marian [length, width], which differ from Hugging Face's: the wavelengths end at 2π·10000,
 * not before it.
 */
export function marianPositions(length, width) {
  const table = new Float32Array(length * width);
  const half = width / 2;
  for (let p = 0; p < length; p++)
    for (let i = 0; i < half; i++) {
      const angle = p * Math.exp((-i * Math.log(10000)) / (half - 1));
      table[p * width + i] = Math.sin(angle);
      table[p * width + half + i] = Math.cos(angle);
    }
  return table;
}

/**
 * Marian's binary model of a post-norm MarianMT model with one vocabulary.
 *
 * @param {Record<string, { shape: number[], data: Float32Array }>} tensors by their names in Hugging Face's
 *   MarianMTModel
 * @param {Record<string, unknown>} config config.json
 */
export function marianModel(tensors, config) {
  const items = [yamlItem(config)];
  const add = (name, shape, data) => items.push({ name, shape, type: types.float32, bytes: bytesOf(data) });
  const vector = (name, { data }) => add(name, [1, data.length], data);
  const matrix = (name, { shape: [out, inner], data }) =>
    add(name, [inner, out], transposed(data, out, inner));
  const linear = (from, name, suffix) => {
    matrix(`${name}_W${suffix}`, tensors[`${from}.weight`]);
    vector(`${name}_b${suffix}`, tensors[`${from}.bias`]);
  };
  const norm = (from, name) => {
    vector(`${name}_ln_scale`, tensors[`${from}.weight`]);
    vector(`${name}_ln_bias`, tensors[`${from}.bias`]);
  };
  const { shape, data } = tensors['model.shared.weight'];
  add('Wemb', shape, data);
  vector('decoder_ff_logit_out_b', tensors.final_logits_bias);
  for (const stack of ['encoder', 'decoder'])
    for (let n = 0; n < config[`${stack}_layers`]; n++) {
      const [from, to] = [`model.${stack}.layers.${n}`, `${stack}_l${n + 1}`];
      const [own, context] = [
        ['self_attn', 'self'],
        ['encoder_attn', 'context'],
      ];
      for (const [block, name] of stack === 'decoder' ? [own, context] : [own]) {
        for (const part of ['q', 'k', 'v']) linear(`${from}.${block}.${part}_proj`, `${to}_${name}`, part);
        linear(`${from}.${block}.out_proj`, `${to}_${name}`, 'o');
        norm(`${from}.${block}_layer_norm`, `${to}_${name}_Wo`);
      }
      linear(`${from}.fc1`, `${to}_ffn`, '1');
      linear(`${from}.fc2`, `${to}_ffn`, '2');
      norm(`${from}.final_layer_norm`, `${to}_ffn_ffn`);
    }
  return binary(items);
}

/**
 * Marian's binary model of a student of Firefox: a transformer encoder, a decoder with SSRUs, one vocabulary.
 *
 * @param {{ vocabulary: number, width: number, feedForward: number, encoderLayers: number, decoderLayers: number, heads: number }} sizes
 * @param {(rows: number, cols: number, kind: 'embedding' | 'matrix' | 'bias' | 'scale') => Float32Array} values
 */
export function firefoxModel(sizes, values) {
  const { vocabulary, width: D, feedForward: F } = sizes;
  const options = {
    vocab_size: vocabulary,
    d_model: D,
    encoder_layers: sizes.encoderLayers,
    decoder_layers: sizes.decoderLayers,
    encoder_attention_heads: sizes.heads,
    encoder_ffn_dim: F,
    activation_function: 'relu',
  };
  const items = [yamlItem(options, { 'transformer-decoder-autoreg': 'rnn', 'dec-cell': 'ssru' })];
  const add = (name, rows, cols, kind) =>
    items.push({ name, shape: [rows, cols], type: types.float32, bytes: bytesOf(values(rows, cols, kind)) });
  const linear = (name, suffix, rows, cols) => {
    add(`${name}_W${suffix}`, rows, cols, 'matrix');
    add(`${name}_b${suffix}`, 1, cols, 'bias');
  };
  const norm = (name) => {
    add(`${name}_ln_scale`, 1, D, 'scale');
    add(`${name}_ln_bias`, 1, D, 'bias');
  };
  add('Wemb', vocabulary, D, 'embedding');
  add('decoder_ff_logit_out_b', 1, vocabulary, 'bias');
  for (const stack of ['encoder', 'decoder'])
    for (let n = 1; n <= sizes[`${stack}Layers`]; n++) {
      const layer = `${stack}_l${n}`;
      if (stack === 'decoder') {
        add(`${layer}_rnn_W`, D, D, 'matrix');
        linear(`${layer}_rnn`, 'f', D, D);
        norm(`${layer}_rnn_ffn`);
      }
      const attention = `${layer}_${stack === 'encoder' ? 'self' : 'context'}`;
      for (const part of ['q', 'k', 'v', 'o']) linear(attention, part, D, D);
      norm(`${attention}_Wo`);
      linear(`${layer}_ffn`, '1', D, F);
      linear(`${layer}_ffn`, '2', F, D);
      norm(`${layer}_ffn_ffn`);
    }
  const [yaml, ...tensors] = items;
  return binary([...tensors.sort((a, b) => (a.name < b.name ? -1 : 1)), yaml]);
}

/** The options that Marian stores with a model. */
function yamlItem(config, others = {}) {
  const options = {
    version: 'v1.9.0',
    type: 'transformer',
    'dim-vocabs': `[${config.vocab_size}, ${config.vocab_size}]`,
    'dim-emb': config.d_model,
    'enc-depth': config.encoder_layers,
    'dec-depth': config.decoder_layers,
    'tied-embeddings': false,
    'tied-embeddings-src': false,
    'tied-embeddings-all': true,
    'transformer-heads': config.encoder_attention_heads,
    'transformer-dim-ffn': config.encoder_ffn_dim,
    'transformer-ffn-depth': 2,
    'transformer-ffn-activation': config.activation_function,
    'transformer-preprocess': '""',
    'transformer-postprocess': 'dan',
    'transformer-postprocess-emb': 'd',
    'transformer-postprocess-top': '""',
    'transformer-no-projection': false,
    'transformer-train-position-embeddings': false,
    'transformer-decoder-autoreg': 'self-attention',
    'transformer-tied-layers': '[]',
    'transformer-guided-alignment-layer': 'last',
    'lemma-dim-emb': 0,
    skip: false,
    'layer-normalization': false,
    'right-left': false,
    ulr: false,
    ...others,
  };
  const text = Object.entries(options).map(([name, value]) => `${name}: ${value}\n`);
  const bytes = new TextEncoder().encode(`${text.join('')}\0`);
  return { name: 'special:model.yml', shape: [bytes.length], type: types.int8, bytes };
}

/**
 * Marian's binary format: version, headers, names, shapes, data. The data and its items are aligned to 256
 * bytes.
 */
function binary(items) {
  const padded = (length) => Math.ceil(length / 256) * 256;
  const names = items.map(({ name }) => new TextEncoder().encode(`${name}\0`));
  const sizes = items.map(({ bytes }) => padded(bytes.length));
  const head =
    8 * (2 + 4 * items.length) +
    sum(names.map((name) => name.length)) +
    4 * sum(items.map((it) => it.shape.length));
  const start = padded(head + 8);
  const out = new Uint8Array(start + sum(sizes));
  const view = new DataView(out.buffer);
  let at = 0;
  const number = (x) => {
    view.setUint32(at, x, true); // the upper half of 64 bits stays 0
    at += 8;
  };
  number(1);
  number(items.length);
  for (const [i, { type, shape }] of items.entries())
    for (const field of [names[i].length, type, shape.length, sizes[i]]) number(field);
  for (const name of names) {
    out.set(name, at);
    at += name.length;
  }
  for (const size of items.flatMap(({ shape }) => shape)) {
    view.setInt32(at, size, true);
    at += 4;
  }
  number(start - at - 8);
  at = start;
  for (const [i, { bytes }] of items.entries()) {
    out.set(bytes, at);
    at += sizes[i];
  }
  return out;
}

/** Numbers of SentencePiece's model types. */
const modelTypes = { unigram: 1, word: 3 };

/**
 * A SentencePiece model: the word of token 12 is 12. `end` and `unknown` are the ids of these two tokens.
 *
 * @param {number} size
 * @param {{ end: number, unknown: number, type?: keyof typeof modelTypes }} options
 */
export function numberVocabulary(size, { end, unknown, type = 'word' }) {
  const out = [];
  const text = new TextEncoder();
  const varint = (x) => (x < 128 ? [x] : [(x & 127) | 128, ...varint(x >>> 7)]);
  const field = (number, wire, bytes) => [...varint((number << 3) | wire), ...bytes];
  const string = (number, value) => {
    const bytes = text.encode(value);
    return field(number, 2, [...varint(bytes.length), ...bytes]);
  };
  // -1 as a number of 64 bits.
  const absent = [...Array(9).fill(255), 1];
  const whole = (number, value) => field(number, 0, varint(value));
  const message = (number, ...parts) => {
    const bytes = parts.flat();
    out.push(...field(number, 2, [...varint(bytes.length), ...bytes]));
  };
  const [unknownKind, controlKind] = [2, 3];
  for (let id = 0; id < size; id++) {
    const special = { [end]: ['</s>', controlKind], [unknown]: ['<unk>', unknownKind] }[id];
    const [piece, kind] = special ?? [`▁${id}`, 1];
    message(1, string(1, piece), field(2, 5, [0, 0, 0, 0]), whole(3, kind));
  }
  message(2, whole(3, modelTypes[type]), whole(40, unknown), field(41, 0, absent), whole(42, end));
  message(3, string(1, 'identity'), whole(3, 1), whole(4, 1), whole(5, 1));
  return Uint8Array.from(out);
}

const sum = (list) => list.reduce((a, b) => a + b, 0);

const bytesOf = ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength);

function transposed(values, rows, cols) {
  const out = new Float32Array(values.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < cols; c++) out[c * rows + r] = values[r * cols + c];
  return out;
}
