// The parameters of a model: names (those of PyTorch's nn.Transformer), shapes, initialization, and their
// layout in one buffer, so that clipping and the optimizer work on a single vector. Matrices come first;
// biases and norms, without weight decay, follow. Fixed positions are a table of their own.

import { type Shape, sizeOf, type Tensor } from '../core/tensor.ts';
import { sinusoids } from '../engine/ops/embedding/embedding.ts';
import { frameParts } from './frame-parts.ts';
import { optionalSublayers } from './load-sublayers.ts';
import { type ModelConfig, sharesEmbeddings, stackSizes, stepsAround, weightsLayer } from './model-config.ts';
import { type Init, layOutParameters, type Parameter, type ParameterList } from './parameter-layout.ts';

type Draft = Omit<Parameter, 'offset' | 'stored'> & { stored?: Parameter['stored'] };

/** Returns the parameters of a configuration. */
export function parameterList(c: ModelConfig): ParameterList {
  const D = c.dModel;
  const drafts: Draft[] = [];
  const norms = new Set<string>();
  const matrix = (name: string, shape: Shape, { stored, parts }: Pick<Draft, 'stored' | 'parts'> = {}) => {
    const [out, fanIn] = [stored?.rows ?? (shape[0] as number), sizeOf(shape.slice(1))];
    drafts.push({
      name,
      shape,
      decay: true,
      init: { kind: 'matrix', fanIn, fanOut: out },
      stored,
      parts,
    });
  };
  const vector = (
    name: string,
    size: number,
    init: Init,
    fields: Pick<Draft, 'stored' | 'frozen' | 'zeros'> = {},
  ) => drafts.push({ name, shape: [size], decay: false, init, ...fields });
  const bias = (
    name: string,
    size: number,
    init: Init,
    stored?: Parameter['stored'],
    zeros?: Parameter['zeros'],
  ) => c.biases && vector(name, size, init, stored && { stored, zeros });
  const zero: Init = { kind: 'constant', value: 0 };
  const embedding = (name: string, rows: number, of: 'tokens' | 'positions', frozen = false) =>
    drafts.push({ name, shape: [rows, D], decay: true, init: { kind: 'embedding', of }, frozen });
  const norm = (name: string) => {
    norms.add(`${name}.weight`).add(`${name}.bias`);
    vector(`${name}.weight`, D, { kind: 'constant', value: 1 });
    if (c.normType === 'layer') vector(`${name}.bias`, D, zero);
  };
  const [before, after] = stepsAround(c);
  /** The norms around a sub-layer: `name`, and `name_pre` if there is one before and one after it. */
  const sublayerNorms = (name: string) => {
    if (before.includes('n') && after.includes('n')) norm(`${name}_pre`);
    if (before.includes('n') || after.includes('n')) norm(name);
  };
  const isUsed = (stack: 'encoder' | 'decoder', n: number): boolean =>
    stack === 'encoder' ||
    Array.from({ length: c.decoderLayers }, (_, i) => weightsLayer(c, stack, i)).includes(n);
  const linear = (name: string, out: number, inner: number) => {
    matrix(`${name}.weight`, [out, inner]);
    bias(`${name}.bias`, out, { kind: 'uniform', bound: 1 / Math.sqrt(inner) });
  };
  const attention = (name: string, separate: boolean, inner: number) => {
    const parts = separate
      ? { 'q_proj.': [0, inner], 'kv_proj.': [inner, 2 * inner] }
      : { in_proj_: [0, 3 * inner] };
    for (const [part, [row = 0, rows = 0]] of Object.entries(parts)) {
      const stored = { name: `${name}.in_proj_weight`, row, rows: 3 * inner };
      matrix(`${name}.${part}weight`, [rows, D], { stored, parts: rows / inner });
      // The rows of keys are the second third of all.
      const hasKeys = !c.keyBias && row + rows > inner;
      const keys = hasKeys ? { first: inner - row, end: 2 * inner - row } : undefined;
      bias(`${name}.${part}bias`, rows, zero, { name: `${name}.in_proj_bias`, row, rows: 3 * inner }, keys);
    }
    matrix(`${name}.out_proj.weight`, [D, inner]);
    bias(`${name}.out_proj.bias`, D, zero);
  };

  if (c.source === 'tokens') embedding('src_embed.weight', c.srcVocab, 'tokens');
  else frameParts().stemParameters(c, matrix, (name) => vector(name, D, zero));
  if (!sharesEmbeddings(c)) embedding('tgt_embed.weight', c.tgtVocab, 'tokens');
  if (c.positions === 'learned') {
    const frozen = !c.trainPositions;
    embedding('src_pos.weight', c.maxSource + c.positionOffset, 'positions', frozen || c.stem === 'conv');
    embedding('tgt_pos.weight', c.maxLength + c.positionOffset, 'positions', frozen);
  }
  if (c.embeddingNorm) {
    norm('src_embed_norm');
    norm('tgt_embed_norm');
  }
  for (const [stack, layers] of [
    ['encoder', c.encoderLayers],
    ['decoder', c.decoderLayers],
  ] as const) {
    const { heads: H, headWidth: W, feedForward: F, depth } = stackSizes(c, stack);
    for (let n = 0; n < layers; n++) {
      if (!isUsed(stack, n)) continue;
      const layer = `transformer.${stack}.layers.${n}`;
      if (stack === 'decoder' && c.decoderSelfAttention === 'ssru') {
        matrix(`${layer}.ssru.in_proj_weight`, [2 * D, D], { parts: 2 }); // z, then the gate
        vector(`${layer}.ssru.gate_bias`, D, zero);
      } else attention(`${layer}.self_attn`, c.normQueriesOnly, H * W);
      if (stack === 'decoder') attention(`${layer}.multihead_attn`, true, H * W);
      for (let i = 1; i <= depth; i++)
        linear(
          `${layer}.linear${i}`,
          i === depth ? D : c.feedForwardType === 'gated' ? 2 * F : F,
          i === 1 ? D : F,
        );
      sublayerNorms(`${layer}.norm1`);
      sublayerNorms(`${layer}.norm2`);
      if (stack === 'decoder') sublayerNorms(`${layer}.norm3`);
    }
    if (c.finalNorm) norm(`transformer.${stack}.norm`);
    if (c.positions === 'relative')
      drafts.push({
        ...{ name: `transformer.${stack}.relative_bias.weight`, shape: [c.relativeBuckets, H], decay: false },
        init: { kind: 'matrix', fanIn: H, fanOut: c.relativeBuckets },
      });
  }
  if (c.tie === 'none' || c.tie === 'embeddings') matrix('generator.weight', [c.tgtVocab, D]);
  if (c.outputBias)
    vector(
      'generator.bias',
      c.tgtVocab,
      { kind: 'uniform', bound: 1 / Math.sqrt(D) },
      { frozen: !c.trainOutputBias },
    );

  // All norms one after another, gamma before beta: one kernel sums their gradients.
  const [matrices, vectors] = [drafts.filter((d) => d.decay), drafts.filter((d) => !d.decay)];
  const inNorms = ({ name }: Draft) => norms.has(name);
  const order = [...matrices, ...vectors.filter(inNorms), ...vectors.filter((d) => !inNorms(d))];
  return layOutParameters(
    order.map((d) => ({ ...d, stored: d.stored ?? { name: d.name, row: 0, rows: d.shape[0] as number } })),
    // 128 for matrices: their f16 copies, half as long, then start at multiples of 256 bytes as bindings
    // require.
    ({ decay }) => (decay ? 128 : 64),
  );
}

/** Returns the shape of each tensor of PyTorch's state_dict by name. */
export const storedShapes = (list: ParameterList): Map<string, Shape> =>
  new Map(list.all.map((p) => [p.stored.name, [p.stored.rows, ...p.shape.slice(1)]]));

/** Splits weights [list.size] into the tensors of PyTorch's state_dict. */
export function tensorsFromWeights(list: ParameterList, weights: ArrayLike<number>): Record<string, Tensor> {
  const tensors: Record<string, Tensor> = {};
  for (const [name, shape] of storedShapes(list))
    tensors[name] = { dtype: 'f32', shape, data: new Float32Array(sizeOf(shape)) };
  for (const p of list.all) {
    const { data } = tensors[p.stored.name] as Tensor;
    const at = p.stored.row * sizeOf(p.shape.slice(1));
    for (let i = 0; i < sizeOf(p.shape); i++) data[at + i] = weights[p.offset + i] as number;
  }
  return tensors;
}

/** Number of rows of the table of fixed positions; 0 if the configuration has none. */
export function fixedPositionRows({ positions, maxLength, maxSource, padId }: ModelConfig): number {
  if (positions === 'fairseq-sinusoidal') return maxLength + padId + 1;
  return positions.includes('sinusoidal') ? Math.max(maxLength, maxSource) : 0;
}

/** The table of fixed positions [rows, D]; undefined if the configuration has none. */
export function fixedPositions(c: ModelConfig): Float32Array | undefined {
  const rows = fixedPositionRows(c);
  if (rows === 0) return undefined;
  if (c.positions === 'fairseq-sinusoidal')
    return optionalSublayers().fairseqSinusoids(rows, c.dModel, c.padId);
  if (c.positions === 'marian-sinusoidal') return optionalSublayers().marianSinusoids(rows, c.dModel);
  return sinusoids(rows, c.dModel, c.positions === 'sinusoidal' ? 'interleaved' : 'halves');
}
