// The parameters of a model: names (those of PyTorch's nn.Transformer), shapes, initialization, and their
// layout in one buffer, so that clipping and the optimizer work on a single vector. Matrices come first;
// biases and norms, without weight decay, follow. Fixed positions are a table of their own.

import { type Shape, sizeOf, type Tensor } from '../core/tensor.ts';
import { sinusoids } from '../engine/ops/embedding/embedding.ts';
import { frameParts } from './frame-parts.ts';
import { optionalSublayers } from './load-sublayers.ts';
import {
  type ModelConfig,
  type Stack,
  sharesEmbeddings,
  stackSizes,
  stepsAround,
  weightsLayer,
} from './model-config.ts';
import {
  type Init,
  type LayerModule,
  layOutParameters,
  type Parameter,
  type ParameterList,
} from './parameter-layout.ts';

/** Returns the parameters of a configuration. */
export function parameterList(c: ModelConfig): ParameterList {
  const drafts = new Drafts(c);
  embeddings(drafts, c);
  for (const stack of ['encoder', 'decoder'] as const) {
    const used = usedLayers(c, stack);
    for (const n of used) layer(drafts, c, stack, n);
    if (c.finalNorm) drafts.norm(`transformer.${stack}.norm`);
    if (c.positions === 'relative')
      drafts.biasTable(`transformer.${stack}.relative_bias`, c.relativeBuckets, stackSizes(c, stack).heads);
  }
  if (c.tie === 'none' || c.tie === 'embeddings') drafts.matrix('generator.weight', [c.tgtVocab, c.dModel]);
  if (c.outputBias)
    drafts.vector('generator.bias', c.tgtVocab, inverseRoot(c.dModel), { frozen: !c.trainOutputBias });
  return drafts.layOut();
}

/** The tables of tokens and positions, or the stem of frames. */
function embeddings(drafts: Drafts, c: ModelConfig): void {
  if (c.source === 'tokens') drafts.embedding('src_embed.weight', c.srcVocab, 'tokens');
  else
    frameParts().stemParameters(
      c,
      (name, shape) => drafts.matrix(name, shape),
      (name) => drafts.vector(name, c.dModel, zero),
    );
  if (!sharesEmbeddings(c)) drafts.embedding('tgt_embed.weight', c.tgtVocab, 'tokens');
  if (c.positions === 'learned') {
    const frozen = !c.trainPositions;
    const [source, target] = [c.maxSource + c.positionOffset, c.maxLength + c.positionOffset];
    drafts.embedding('src_pos.weight', source, 'positions', frozen || c.stem === 'conv');
    drafts.embedding('tgt_pos.weight', target, 'positions', frozen);
  }
  if (c.embeddingNorm) {
    drafts.norm('src_embed_norm');
    drafts.norm('tgt_embed_norm');
  }
}

/** The layers of a stack that have weights of their own and are used, from 0. */
function usedLayers(c: ModelConfig, stack: Stack): number[] {
  const layers = Array.from({ length: stack === 'encoder' ? c.encoderLayers : c.decoderLayers }, (_, n) => n);
  const used = new Set(layers.map((n) => weightsLayer(c, stack, n)));
  return layers.filter((n) => used.has(n));
}

/** Layer n of a stack. */
function layer(drafts: Drafts, c: ModelConfig, stack: Stack, n: number): void {
  const at = (module: string): LayerModule => ({ stack, layer: n, module });
  const { heads, headWidth, feedForward: F, depth } = stackSizes(c, stack);
  const inner = heads * headWidth;
  if (stack === 'decoder' && c.decoderSelfAttention === 'ssru') {
    const module = at('ssru.in_proj');
    drafts.matrix(`${nameOf(module)}_weight`, [2 * c.dModel, c.dModel], { module, parts: 2 }); // z, then the gate
    drafts.vector(nameOf(at('ssru.gate_bias')), c.dModel, zero);
  } else {
    const own: Product = { module: at('self_attn.in_proj'), separator: '_', first: 0, parts: 3 };
    drafts.attention(at('self_attn'), inner, c.normQueriesOnly ? crossProducts(at('self_attn')) : [own]);
  }
  if (stack === 'decoder') drafts.attention(at('multihead_attn'), inner, crossProducts(at('multihead_attn')));
  const width = c.feedForwardType === 'gated' ? 2 * F : F;
  for (let i = 1; i <= depth; i++)
    drafts.linear(at(`linear${i}`), i === depth ? c.dModel : width, i === 1 ? c.dModel : F);
  const [before, after] = stepsAround(c);
  // `name_pre` is the norm before a sub-layer that has another one after it.
  for (const name of stack === 'decoder' ? ['norm1', 'norm2', 'norm3'] : ['norm1', 'norm2']) {
    if (before.includes('n') && after.includes('n')) drafts.norm(nameOf(at(`${name}_pre`)));
    if (before.includes('n') || after.includes('n')) drafts.norm(nameOf(at(name)), at(name));
  }
}

/** A product of an attention: some of the parts queries, keys and values, one below another, from `first` on. */
interface Product {
  readonly module: LayerModule;
  /** Between the name of the module and `weight`. */
  readonly separator: '.' | '_';
  readonly first: number;
  readonly parts: number;
}

/** The products of an attention whose queries have another input than keys and values. */
const crossProducts = ({ module, ...place }: LayerModule): Product[] => [
  { module: { ...place, module: `${module}.q_proj` }, separator: '.', first: 0, parts: 1 },
  { module: { ...place, module: `${module}.kv_proj` }, separator: '.', first: 1, parts: 2 },
];

/** A parameter without its place in the buffer; a missing `stored`: it is a tensor of its own. */
type Draft = Omit<Parameter, 'offset' | 'stored'> & Partial<Pick<Parameter, 'stored'>>;

/** Name of a module of a layer in PyTorch's nn.Transformer. */
const nameOf = ({ stack, layer, module }: LayerModule): string =>
  `transformer.${stack}.layers.${layer}.${module}`;

const zero: Init = { kind: 'constant', value: 0 };

/** Uniform in ±1/sqrt(width), PyTorch's initialization of a bias. */
const inverseRoot = (width: number): Init => ({ kind: 'uniform', bound: 1 / Math.sqrt(width) });

/** The parameters of a model while they are listed. */
class Drafts {
  readonly #matrices: Draft[] = [];
  readonly #norms: Draft[] = [];
  readonly #vectors: Draft[] = [];
  readonly #c: ModelConfig;

  constructor(c: ModelConfig) {
    this.#c = c;
  }

  matrix(name: string, shape: Shape, fields: Pick<Draft, 'stored' | 'parts' | 'module'> = {}): void {
    const [fanOut, fanIn] = [fields.stored?.rows ?? (shape[0] as number), sizeOf(shape.slice(1))];
    this.#matrices.push({ name, shape, decay: true, init: { kind: 'matrix', fanIn, fanOut }, ...fields });
  }

  vector(
    name: string,
    size: number,
    init: Init,
    fields: Pick<Draft, 'stored' | 'frozen' | 'zeros' | 'module'> = {},
  ): void {
    this.#vectors.push({ name, shape: [size], decay: false, init, ...fields });
  }

  /** A table with a row of dModel elements for each token or position. */
  embedding(name: string, rows: number, of: 'tokens' | 'positions', frozen = false): void {
    const shape = [rows, this.#c.dModel];
    this.#matrices.push({ name, shape, decay: true, init: { kind: 'embedding', of }, frozen });
  }

  /** The table of a bias by distance, for each head. */
  biasTable(module: string, buckets: number, heads: number): void {
    const init: Init = { kind: 'matrix', fanIn: heads, fanOut: buckets };
    this.#vectors.push({ name: `${module}.weight`, shape: [buckets, heads], decay: false, init });
  }

  norm(name: string, module?: LayerModule): void {
    const [shape, fields] = [[this.#c.dModel], { decay: false, module }];
    this.#norms.push({ name: `${name}.weight`, shape, init: { kind: 'constant', value: 1 }, ...fields });
    if (this.#c.normType === 'layer')
      this.#norms.push({ name: `${name}.bias`, shape, init: zero, ...fields });
  }

  linear(module: LayerModule, out: number, inner: number): void {
    const name = nameOf(module);
    this.matrix(`${name}.weight`, [out, inner], { module });
    if (this.#c.biases) this.vector(`${name}.bias`, out, inverseRoot(inner), { module });
  }

  /** An attention of `inner` columns. Its products are rows of one tensor of PyTorch. */
  attention(at: LayerModule, inner: number, products: readonly Product[]): void {
    const { dModel, keyBias, biases } = this.#c;
    const whole = `${nameOf(at)}.in_proj`;
    for (const { module, separator, first, parts } of products) {
      const [name, place] = [`${nameOf(module)}${separator}`, { row: first * inner, rows: 3 * inner }];
      const rows = parts * inner;
      const weight = { name: `${whole}_weight`, ...place };
      this.matrix(`${name}weight`, [rows, dModel], { module, stored: weight, parts });
      if (!biases) continue;
      // The rows of keys are the second third of all.
      const keys = { first: (1 - first) * inner, end: (2 - first) * inner };
      const zeros = !keyBias && first + parts > 1 ? keys : undefined;
      this.vector(`${name}bias`, rows, zero, { module, stored: { name: `${whole}_bias`, ...place }, zeros });
    }
    const output = { ...at, module: `${at.module}.out_proj` };
    this.matrix(`${nameOf(output)}.weight`, [dModel, inner], { module: output });
    if (biases) this.vector(`${nameOf(output)}.bias`, dModel, zero, { module: output });
  }

  /** Lays the parameters out: matrices, then all norms, gamma before beta (one kernel sums their gradients), then the rest. */
  layOut(): ParameterList {
    const order = [...this.#matrices, ...this.#norms, ...this.#vectors];
    return layOutParameters(
      order.map((d) => ({ ...d, stored: d.stored ?? { name: d.name, row: 0, rows: d.shape[0] as number } })),
      // 128 for matrices: their f16 copies, half as long, then start at multiples of 256 bytes as bindings
      // require.
      ({ decay }) => (decay ? 128 : 64),
    );
  }
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
