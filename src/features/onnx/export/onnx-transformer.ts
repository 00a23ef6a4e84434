// The encoder and the decoder of a model as ONNX graphs with the inputs and outputs that transformers.js
// expects: without dropout, and with a KV cache in the decoder. They mirror src/model/transformer.ts.
//
// B batch, S source length, T new target tokens, P cached target tokens, D model width, H heads, W head
// width.

import { type Stack, stackSizes } from '../../../model/model-config.ts';
import type { Name, OnnxGraph } from '../engine/onnx-graph.ts';
import type { Builder, OnnxSource } from './onnx-builder.ts';
import { axisSize, floats, idTable, matrix, openBuilder, transposedTable } from './onnx-builder.ts';
import {
  addBias,
  attention,
  causalMask,
  embed,
  feedForward,
  maskOf,
  norm,
  paddingMask,
  positionsFrom,
  project,
  residual,
  selfHeads,
  speechStem,
  splitHeads,
  withPositionBias,
} from './onnx-layers.ts';

/** The encoder: input_ids and attention_mask [B, S], or features of speech, -> last_hidden_state [B, S, D]. */
export function onnxEncoder(source: OnnxSource): OnnxGraph {
  return source.config.source === 'frames' ? speechEncoder(source) : textEncoder(source);
}

function textEncoder(source: OnnxSource): OnnxGraph {
  const b = openBuilder('encoder', source);
  const { graph: g, config: c } = b;
  const axes = ['batch_size', 'encoder_sequence_length'];
  const given = g.input('input_ids', 'int64', axes);
  const mask = paddingMask(b, g.input('attention_mask', 'int64', axes));
  const ids = source.sourceIds ? g.op('Gather', [idTable(g, source.sourceIds), given]) : given;
  const length = axisSize(b, ids, 1);
  const selfMask = withPositionBias(b, 'encoder', mask, g.integers(0), length);
  const x = embed(b, 'src', ids, g.integers(0)); // [B, S, D]
  g.output('last_hidden_state', 'float', [...axes, c.dModel], encoderLayers(b, x, selfMask));
  return g;
}

/** The encoder of Whisper: input_features [B, mels, T] -> last_hidden_state [B, S, D]. All frames are attended to. */
function speechEncoder(source: OnnxSource): OnnxGraph {
  const b = openBuilder('encoder', source);
  const { graph: g, config: c } = b;
  const frames = g.input('input_features', 'float', ['batch_size', c.frameWidth, 'feature_length']);
  const x = speechStem(b, frames); // [B, S, D]
  const axes = ['batch_size', 'encoder_sequence_length', c.dModel];
  g.output('last_hidden_state', 'float', axes, encoderLayers(b, x, g.scalar(0)));
  return g;
}

/** The layers of the encoder and its norm: [B, S, D] -> [B, S, D]. */
function encoderLayers(b: Builder, start: Name, selfMask: Name): Name {
  const { config: c } = b;
  let x = start;
  for (let n = 0; n < c.encoderLayers; n++) {
    const layer = `transformer.encoder.layers.${n}`;
    const self = (y: Name) => {
      const [q = '', k = '', v = ''] = selfHeads(b, layer, 'encoder', y);
      return project(b, `${layer}.self_attn.out_proj.`, attention(b, 'encoder', q, k, v, selfMask));
    };
    x = residual(b, `${layer}.norm1`, x, self);
    x = residual(b, `${layer}.norm2`, x, (y) => feedForward(b, layer, y));
  }
  return c.finalNorm ? norm(b, 'transformer.encoder.norm', x) : x;
}

/**
 * The decoder with its KV cache: input_ids [B, T], encoder_hidden_states [B, S, D], encoder_attention_mask
 * [B, S] and past_key_values [B, H, P, W] -> logits [B, T, V] and present [B, H, P + T, W]. At the first step
 * the cache is empty. Speech has no attention mask.
 */
export function onnxDecoder(source: OnnxSource): OnnxGraph {
  const b = openBuilder('decoder', source);
  const { graph: g, config: c } = b;
  const sourceAxes = ['batch_size', 'encoder_sequence_length'];
  const ids = g.input('input_ids', 'int64', ['batch_size', 'decoder_sequence_length']);
  const memory = g.input('encoder_hidden_states', 'float', [...sourceAxes, c.dModel]);
  const isSpeech = c.source === 'frames';
  const memoryMask = isSpeech
    ? g.scalar(0)
    : paddingMask(b, g.input('encoder_attention_mask', 'int64', sourceAxes));
  const cache = openCache(b);
  const past = cache.lengthOf('decoder'); // [1]: P
  const added = axisSize(b, ids, 1); // [1]: T
  const causal = causalMask(b, past, added);
  const hidden = c.hidePadding ? hiddenKeys(b, ids, cache.firstKeys, past, added) : undefined; // [B, 1, P + T, 1]
  const mask = hidden ? g.op('Add', [causal, maskOf(b, hidden)]) : causal;
  const selfMask = withPositionBias(b, 'decoder', mask, past, added);
  // The rows of the memory without cached keys and values: all at the first step, none later.
  const rest = g.op('Slice', [memory, cache.lengthOf('encoder'), g.integers(2 ** 31 - 1), g.integers(1)]);
  let finished = isFinished(b, ids, past, added); // [B, T]
  // Cached keys of layer 0 also store flags: hidden keys, and finished rows, since transformers.js may append
  // a token other than the end token to a finished row.
  const change = (keys: Name) => {
    const used = hidden ? g.op('Mul', [keys, g.op('Sub', [g.scalar(1), hidden])]) : keys;
    const marked = hidden ? g.op('Sub', [used, g.op('Mul', [hidden, g.scalar(mark)])]) : keys;
    return { used, stored: source.noRepeat ? storeFinished(marked) : marked };
  };
  const storeFinished = (keys: Name): Name => {
    const largest = g.op('Squeeze', [
      g.op('ReduceMax', [keys], { axes: [1, 2, 3], keepdims: 1 }),
      g.integers(2, 3),
    ]);
    const known = g.op('And', [
      g.op('Greater', [largest, g.scalar(mark / 2)]),
      g.op('Equal', [added, g.integers(1)]),
    ]);
    finished = g.op('Or', [finished, known]);
    const last = g.op('Gather', [finished, g.integers(-1)], { axis: 1 }); // [B, 1]
    return g.op('Where', [g.op('Unsqueeze', [last, g.integers(2, 3)]), g.scalar(mark), keys]);
  };
  let x = embed(b, 'tgt', ids, past); // [B, T, D]
  for (let n = 0; n < c.decoderLayers; n++) {
    const layer = `transformer.decoder.layers.${n}`;
    const self = (y: Name) => {
      const [q = '', ...fresh] = selfHeads(b, layer, 'decoder', y);
      const [k, v] = cache.append(n, 'decoder', fresh, n === 0 ? change : undefined);
      return project(b, `${layer}.self_attn.out_proj.`, attention(b, 'decoder', q, k, v, selfMask));
    };
    const cross = (y: Name) => {
      const q = splitHeads(b, 'decoder', project(b, `${layer}.multihead_attn.q_proj.`, y));
      const kv = g.ops('Split', [project(b, `${layer}.multihead_attn.kv_proj.`, rest)], 2, { axis: 2 });
      const fresh = kv.map((part) => splitHeads(b, 'decoder', part));
      const [k, v] = cache.append(n, 'encoder', fresh);
      return project(b, `${layer}.multihead_attn.out_proj.`, attention(b, 'decoder', q, k, v, memoryMask));
    };
    x = residual(b, `${layer}.norm1`, x, self);
    x = residual(b, `${layer}.norm2`, x, cross);
    x = residual(b, `${layer}.norm3`, x, (y) => feedForward(b, layer, y));
  }
  const out = c.finalNorm ? norm(b, 'transformer.decoder.norm', x) : x;
  // The end token of Whisper is its padding too, and its prompts may have it.
  const logits = isSpeech ? logitsOf(b, out) : forceEnd(b, logitsOf(b, out), finished, past, added);
  g.output('logits', 'float', ['batch_size', 'decoder_sequence_length', c.tgtVocab], logits);
  return g;
}

/** The output projection: [B, T, D] -> [B, T, V]. */
function logitsOf(b: Builder, x: Name): Name {
  const { graph: g, config: c } = b;
  const scaled = c.scaleOutput ? g.op('Mul', [x, g.scalar(1 / Math.sqrt(c.dModel))]) : x;
  const own = c.tie === 'none' || c.tie === 'embeddings';
  const table = own
    ? matrix(b, 'generator.weight')
    : transposedTable(b, c.tie === 'all' ? 'src_embed.weight' : 'tgt_embed.weight');
  return addBias(b, g.op('MatMul', [scaled, table]), 'generator.bias');
}

/**
 * Sentinel key of a finished row, larger than any key of a model. The sentinel of a hidden key is its
 * negative.
 */
const mark = 1e30;

/**
 * 1 for the keys of generated padding, which a model that hides padding does not see, else 0: [B, 1, P + T,
 * 1]. The first token is never hidden: some models start with padding.
 */
function hiddenKeys(b: Builder, ids: Name, cached: Name, past: Name, added: Name): Name {
  const { graph: g, config: c } = b;
  const before = g.op('Slice', [cached, g.integers(0, 0), g.integers(1, 1), g.integers(1, 3)]); // [B, 1, P, 1]
  const isLater = g.op('Greater', [positionsFrom(b, past, added), g.integers(0)]); // [T]
  const isPadding = g.op('Cast', [g.op('And', [g.op('Equal', [ids, g.integers(c.padId)]), isLater])], {
    to: 1,
  }); // [B, T]
  const now = g.op('Unsqueeze', [g.op('Mul', [isPadding, g.scalar(-mark)]), g.integers(1, 3)]);
  const marks = g.op('Concat', [before, now], { axis: 2 });
  return g.op('Cast', [g.op('Less', [marks, g.scalar(-mark / 2)])], { to: 1 });
}

/** Whether the last token is the end token, if tokens are decoded one by one: [B, T]. */
function isFinished(b: Builder, ids: Name, past: Name, added: Name): Name {
  const { graph: g, config: c } = b;
  const isEnd = g.op('Equal', [ids, g.integers(c.endId)]); // [B, T]
  // BART starts with the end token.
  const later = g.op('And', [g.op('Greater', [past, g.integers(0)]), g.op('Equal', [added, g.integers(1)])]);
  return g.op('And', [isEnd, later]);
}

/**
 * Leaves only the end token in finished rows, and from `endPosition` on, if tokens are decoded one by one:
 * logits [B, T, V]. transformers.js generates up to 256 tokens by default, and continues finished rows until
 * all rows of the batch are finished. If its rules forbid another end token (no_repeat_ngram_size), it takes
 * padding, or the first id, which have no text.
 */
function forceEnd(b: Builder, logits: Name, finished: Name, past: Name, added: Name): Name {
  const { graph: g, config: c } = b;
  const over = g.op('And', [
    g.op('Greater', [past, g.integers(b.endPosition - 1)]),
    g.op('Equal', [added, g.integers(1)]),
  ]);
  const end = new Float32Array(c.tgtVocab).fill(Number.NEGATIVE_INFINITY);
  end[c.padId] = 0;
  end[c.endId] = 1e9;
  const forced = g.op('Unsqueeze', [g.op('Or', [finished, over]), g.integers(-1)]);
  return g.op('Where', [forced, floats(b, 'end_token', [c.tgtVocab], end), logits]);
}

/**
 * Keys and values of the target (`decoder`) and of the source (`encoder`), [B, H, length, W] in each layer.
 */
interface OnnxCache {
  /** Number of tokens of a side that have keys and values: [1]. */
  lengthOf(side: Stack): Name;
  /** The cached keys of the target in the first layer. */
  readonly firstKeys: Name;
  /**
   * Appends `fresh`, keys and values, to the cache of a layer. The results are outputs of the graph and are
   * returned. `change` maps the keys to those to attend to and those to store. Default: both are the same
   * keys.
   */
  append(
    layer: number,
    side: Stack,
    fresh: readonly Name[],
    change?: (keys: Name) => { readonly used: Name; readonly stored: Name },
  ): [keys: Name, values: Name];
}

/** Adds the inputs of the cache of all decoder layers. */
function openCache(b: Builder): OnnxCache {
  const { graph: g, config: c } = b;
  const { heads, headWidth } = stackSizes(c, 'decoder');
  const shapeOf = (length: string) => ['batch_size', heads, length, headWidth];
  const nameOf = (kind: string, layer: number, side: Stack, part: string) =>
    `${kind}.${layer}.${side}.${part}`;
  const past = Array.from({ length: c.decoderLayers }, (_, layer) => {
    const inputs = (side: Stack) =>
      ['key', 'value'].map((part) =>
        g.input(
          nameOf('past_key_values', layer, side, part),
          'float',
          shapeOf(`past_${side}_sequence_length`),
        ),
      );
    return { decoder: inputs('decoder'), encoder: inputs('encoder') };
  });
  return {
    lengthOf: (side) => axisSize(b, past[0]?.[side][0] ?? '', 2),
    firstKeys: past[0]?.decoder[0] ?? '',
    append(layer, side, fresh, change = (keys) => ({ used: keys, stored: keys })) {
      const both = fresh.map((part, i) => g.op('Concat', [past[layer]?.[side][i] ?? '', part], { axis: 2 }));
      const length = side === 'decoder' ? 'decoder_sequence_length + past' : 'encoder_sequence_length';
      const [keys = '', values = ''] = both;
      const { used, stored } = change(keys);
      g.output(nameOf('present', layer, side, 'key'), 'float', shapeOf(length), stored);
      g.output(nameOf('present', layer, side, 'value'), 'float', shapeOf(length), values);
      return [used, values];
    },
  };
}
