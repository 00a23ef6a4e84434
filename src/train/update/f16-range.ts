// Decides which tensors of a pre-norm model fit in f16: not the residual stream; attention if a bound from
// the weights allows it.

import { sizeOf } from '../../core/tensor.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import type { LayerModule, Parameter, ParameterList } from '../../model/parameter-layout.ts';
import type { WeightReader } from '../../model/quantized-parameters.ts';

/**
 * Allowed range of the bound. The maximum leaves room for growth in training, since f16 ends at 65504; below
 * the minimum numbers lose bits.
 */
const range = { min: 2 ** -4, max: 2 ** 14 } as const;

/** Name of the layer norm before a module of queries, keys or values; undefined for other modules. */
function normBefore({ stack, layer, module }: LayerModule): string | undefined {
  if (module === 'self_attn.in_proj') return `transformer.${stack}.layers.${layer}.norm1`;
  if (module === 'multihead_attn.q_proj') return `transformer.${stack}.layers.${layer}.norm2`;
  return module === 'multihead_attn.kv_proj' ? 'transformer.encoder.norm' : undefined;
}

/** Whether two parameters are of one module. */
const areOfModule = ({ module: a }: Parameter, { module: b }: Parameter): boolean =>
  a?.stack === b?.stack && a?.layer === b?.layer && a?.module === b?.module;

/**
 * Whether the residual stream of a model may exceed f16: that of T5, and of pre-norm models of Hugging Face,
 * whose large activations transformers clamps in float16. Post-norm normalizes the stream after each
 * sublayer.
 */
export const needsF32Residual = ({ norm, normType }: ModelConfig, isFromHf: boolean): boolean =>
  normType === 'rms' || (norm === 'pre' && isFromHf);

/**
 * Whether queries, keys, values and heads of a pre-norm model fit in f16. A row of D numbers after layer norm
 * has an L2 norm of at most √D times the largest gamma, plus the L2 norm of beta. By Cauchy-Schwarz a product
 * is at most that times the L2 norm of the matrix row, plus the bias. Heads are averages of values, so they
 * are not larger.
 */
export async function attentionFitsF16(
  c: ModelConfig,
  p: ParameterList,
  weights: Float32Array | WeightReader,
): Promise<boolean> {
  if (c.norm !== 'pre') return false;
  /** The numbers of a parameter; zeros of one that the model does not have. */
  const read = async (parameter: Parameter | undefined): Promise<Float32Array> => {
    if (!parameter) return new Float32Array(1);
    const size = sizeOf(parameter.shape);
    if ('read' in weights) return weights.read(parameter, 0, size);
    return weights.subarray(parameter.offset, parameter.offset + size);
  };
  for (const matrix of p.all) {
    const [, columns] = matrix.shape;
    const norm = matrix.module && normBefore(matrix.module);
    if (columns === undefined || norm === undefined) continue;
    if (!p.byName.has(`${norm}.weight`)) return false; // keys and values of the residual stream, which has no bound
    const gamma = await read(p.byName.get(`${norm}.weight`));
    const beta = await read(p.byName.get(`${norm}.bias`));
    const bias = await read(p.all.find((other) => other !== matrix && areOfModule(other, matrix)));
    const row = Math.sqrt(c.dModel) * largest(gamma) + largestRow(beta, beta.length);
    const bound = row * largestRow(await read(matrix), columns) + largest(bias);
    if (!(bound >= range.min && bound <= range.max)) return false;
  }
  return true;
}

/** The largest absolute value. */
const largest = (values: Float32Array): number => values.reduce((max, x) => Math.max(max, Math.abs(x)), 0);

/** The largest L2 norm of a row of a matrix with `cols` columns. */
function largestRow(matrix: Float32Array, cols: number): number {
  let max = 0;
  for (let at = 0; at < matrix.length; at += cols) {
    let squares = 0;
    for (let i = at; i < at + cols; i++) squares += (matrix[i] as number) ** 2;
    max = Math.max(max, squares);
  }
  return Math.sqrt(max);
}
