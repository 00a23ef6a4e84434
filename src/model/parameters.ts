// The parameters of a model: names (those of PyTorch's nn.Transformer), shapes, initialization, and their
// layout in one buffer, so that clipping and the optimizer work on a single vector. Matrices come first;
// biases and norms, without weight decay, follow. Fixed positions are a table of their own.

import { type Shape, sizeOf, type Tensor } from '../core/tensor.ts';
import { feedForwardType } from './feed-forward.ts';
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
  type ParameterLayout,
  type ParameterList,
} from './parameter-layout.ts';
import { positionKind } from './positions.ts';
import { type ParameterDrafts, type SourceKind, tokens } from './source-kind.ts';
import { decoderSelfAttention, type LayerDrafts } from './sublayers.ts';

/**
 * Returns the parameters of a configuration. `source`: what the encoder reads; that of the configuration, for sources
 * that are no tokens (`sourceKindOf`).
 */
export function parameterList(c: ModelConfig, source: SourceKind = tokens): ParameterList {
  if (c.source !== source.name) throw new Error(`model: the source is ${c.source}, not ${source.name}`);
  const D = c.dModel;
  const drafts = new Drafts(c);
  source.parameters(c, drafts);
  if (!sharesEmbeddings(c)) drafts.embedding('tgt_embed', c.tgtVocab);
  if (positionKind(c).isLearned) {
    const frozen = !c.trainPositions;
    const computed = source.fixedPositions?.(c);
    drafts.positions('src_pos', c.maxSource, frozen || computed !== undefined, computed);
    drafts.positions('tgt_pos', c.maxLength, frozen);
  }
  if (c.embeddingNorm) {
    drafts.norm('src_embed_norm');
    drafts.norm('tgt_embed_norm');
  }
  drafts.layers();
  if (c.tie === 'none' || c.tie === 'embeddings') drafts.matrix('generator', [c.tgtVocab, D]);
  if (c.outputBias)
    drafts.vector('generator.bias', c.tgtVocab, inverseRoot(D), { frozen: !c.trainOutputBias });
  return { ...drafts.layOut(), source };
}

/** A parameter without its place in the buffer; a missing `stored`: it is a tensor of its own. */
type Draft = Omit<Parameter, 'offset' | 'stored'> & Partial<Pick<Parameter, 'stored'>>;

type Fields = Pick<Draft, 'stored' | 'parts' | 'frozen' | 'zeros'>;

const zero: Init = { kind: 'constant', value: 0 };

/** Uniform in ±1/sqrt(width), PyTorch's initialization of a bias. */
const inverseRoot = (width: number): Init => ({ kind: 'uniform', bound: 1 / Math.sqrt(width) });

/**
 * The products of an attention, each with some of the parts queries, keys and values, one below another: name, first
 * part and number of parts.
 */
const jointProduct = [['in_proj', 0, 3]] as const;
/** Those of queries that have another input than keys and values. */
const separateProducts = [
  ['q_proj', 0, 1],
  ['kv_proj', 1, 2],
] as const;

/** Returns the parameters in the layers of a configuration, which do not depend on what the model reads. */
export function layerParameters(c: ModelConfig): ParameterLayout {
  const drafts = new Drafts(c);
  drafts.layers();
  return drafts.layOut();
}

/** The parameters of a model while they are listed. */
class Drafts implements ParameterDrafts, LayerDrafts {
  readonly #matrices: Draft[] = [];
  readonly #norms: Draft[] = [];
  readonly #vectors: Draft[] = [];
  readonly #c: ModelConfig;
  /** The layer whose parameters are listed. */
  #at: Omit<LayerModule, 'module'> | undefined;

  constructor(c: ModelConfig) {
    this.#c = c;
  }

  /** Adds a parameter to a list, with the name of its module and what follows that name. */
  #add(to: Draft[], module: string, suffix: string, shape: Shape, init: Init, fields?: Fields): void {
    const at = this.#at;
    to.push({
      name: `${at ? `transformer.${at.stack}.layers.${at.layer}.` : ''}${module}${suffix}`,
      shape,
      decay: to === this.#matrices,
      init,
      module: at && { ...at, module },
      ...fields,
    });
  }

  /** `suffix`: what follows the name of the module. */
  matrix(module: string, shape: Shape, fields?: Fields, suffix = '.weight'): void {
    const [fanOut, fanIn] = [fields?.stored?.rows ?? (shape[0] as number), sizeOf(shape.slice(1))];
    this.#add(this.#matrices, module, suffix, shape, { kind: 'matrix', fanIn, fanOut }, fields);
  }

  zeroBias(module: string, size: number): void {
    this.vector(module, size, zero, undefined, '.bias');
  }

  vector(module: string, size: number, init: Init, fields?: Fields, suffix = ''): void {
    this.#add(this.#vectors, module, suffix, [size], init, fields);
  }

  /** A table with a row of dModel elements for each token. */
  embedding(module: string, rows: number): void {
    const shape = [rows, this.#c.dModel];
    this.#add(
      this.#matrices,
      module,
      '.weight',
      shape,
      { kind: 'embedding', of: 'tokens' },
      { frozen: false },
    );
  }

  /** A table with a row of dModel elements for each position; `values`: those of a table that is not drawn. */
  positions(module: string, count: number, frozen: boolean, values?: () => Float32Array): void {
    const shape = [count + this.#c.positionOffset, this.#c.dModel];
    this.#add(
      this.#matrices,
      module,
      '.weight',
      shape,
      { kind: 'embedding', of: 'positions', values },
      { frozen },
    );
  }

  /** The table of T5's bias by distance, for each head of a stack. */
  distances(name: string, stack: Stack): void {
    const [fanIn, fanOut] = [stackSizes(this.#c, stack).heads, this.#c.relativeBuckets];
    this.#add(this.#vectors, name, '', [fanOut, fanIn], { kind: 'matrix', fanIn, fanOut });
  }

  norm(module: string): void {
    const shape = [this.#c.dModel];
    this.#add(this.#norms, module, '.weight', shape, { kind: 'constant', value: 1 });
    if (this.#c.normType === 'layer') this.#add(this.#norms, module, '.bias', shape, zero);
  }

  linear(module: string, out: number, inner: number, bias = inverseRoot(inner)): void {
    this.matrix(module, [out, inner]);
    if (this.#c.biases) this.vector(module, out, bias, undefined, '.bias');
  }

  /** An attention of `inner` columns. Its products are rows of one tensor of PyTorch. */
  attention(module: string, inner: number, isSeparate: boolean): void {
    const { dModel, keyBias, biases } = this.#c;
    const { stack, layer } = this.#at as Omit<LayerModule, 'module'>;
    for (const [product, first, parts] of isSeparate ? separateProducts : jointProduct) {
      const rows = parts * inner;
      const [name, separator] = [`${module}.${product}`, isSeparate ? '.' : '_'];
      const stored = (kind: string) => ({
        name: `transformer.${stack}.layers.${layer}.${module}.in_proj_${kind}`,
        row: first * inner,
        rows: 3 * inner,
      });
      this.matrix(name, [rows, dModel], { stored: stored('weight'), parts }, `${separator}weight`);
      if (!biases) continue;
      // The rows of keys are the second third of all.
      const keys = { first: (1 - first) * inner, end: (2 - first) * inner };
      const zeros = !keyBias && first + parts > 1 ? keys : undefined;
      this.vector(name, rows, zero, { stored: stored('bias'), zeros }, `${separator}bias`);
    }
    this.linear(`${module}.out_proj`, dModel, inner, zero);
  }

  /** All layers of both stacks, with what the layers of a stack share. */
  layers(): void {
    const c = this.#c;
    for (const [stack, layers] of [
      ['encoder', c.encoderLayers],
      ['decoder', c.decoderLayers],
    ] as const) {
      const numbers = Array.from({ length: layers }, (_, n) => n);
      // Tied layers have the weights of an earlier one.
      const used = new Set(numbers.map((n) => weightsLayer(c, stack, n)));
      for (const n of numbers) if (used.has(n)) this.layer(stack, n);
      if (c.finalNorm) this.norm(`transformer.${stack}.norm`);
      if (positionKind(c).isRelative) this.distances(`transformer.${stack}.relative_bias.weight`, stack);
    }
  }

  /** Layer n of a stack. */
  layer(stack: Stack, n: number): void {
    const { dModel, normQueriesOnly } = this.#c;
    const { heads, headWidth, feedForward, depth } = stackSizes(this.#c, stack);
    const isDecoder = stack === 'decoder';
    this.#at = { stack, layer: n };
    if (isDecoder) decoderSelfAttention(this.#c).parameters(this.#c, this);
    else this.attention('self_attn', heads * headWidth, normQueriesOnly);
    if (isDecoder) this.attention('multihead_attn', heads * headWidth, true);
    const width = feedForwardType(this.#c).parts * feedForward;
    for (let i = 1; i <= depth; i++)
      this.linear(`linear${i}`, i === depth ? dModel : width, i === 1 ? dModel : feedForward);
    const steps = stepsAround(this.#c);
    const [before, after] = [steps.before.includes('norm'), steps.after.includes('norm')];
    for (const name of ['norm1', 'norm2', 'norm3'].slice(0, isDecoder ? 3 : 2)) {
      if (before && after) this.norm(`${name}_pre`); // `name` is then the one after the sub-layer
      if (before || after) this.norm(name);
    }
    this.#at = undefined;
  }

  /**
   * Lays the parameters out: matrices, then all norms, gamma before beta (one kernel sums their gradients), then the
   * rest.
   */
  layOut(): ParameterLayout {
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
export const storedShapes = (list: ParameterLayout): Map<string, Shape> =>
  new Map(list.all.map((p) => [p.stored.name, [p.stored.rows, ...p.shape.slice(1)]]));

/** Splits weights [list.size] into the tensors of PyTorch's state_dict. */
export function tensorsFromWeights(
  list: ParameterLayout,
  weights: ArrayLike<number>,
): Record<string, Tensor> {
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
