// Which matrices stay int8 when the others have four bits: by default the sensitive ones, or those that globs
// name.

import { isInt4, packedFormats } from '../engine/ops/matmul/packed-weights.ts';
import type { ModelConfig } from './model-config.ts';
import type { Parameter, ParameterList } from './parameter-layout.ts';
import { globMatcher, hfNames } from './parameter-names.ts';

/**
 * Formats of weights: `f32`, or matrices quantized to `f16` (half the memory), `int8` with a scale per row (a
 * quarter), or `int4` with a scale per block of 32 (a seventh; sensitive layers stay int8). `uint4` also has a
 * zero point per block; `-f32` scales are f32 instead of f16.
 */
export const weightFormats = ['f32', ...packedFormats] as const;
/** Name of a format of weights. */
export type WeightFormat = (typeof weightFormats)[number];

/** In a list of globs: the sensitive matrices. */
export const sensitiveMatrices = 'auto';

/** A matrix of a model. */
type Matrix = Pick<Parameter, 'name' | 'shape' | 'module'>;

/** The embeddings of tokens, and the output table. */
const tables: readonly string[] = ['src_embed.weight', 'tgt_embed.weight', 'generator.weight'];

/** Matrices with fewer rows or columns are sensitive. */
const sensitiveSize = 512;

/**
 * Whether four bits change the results of a matrix too much. Token embeddings and the output table: their errors
 * reach the logits directly. In models that are narrower than 512 all matrices but `outProjection`, that of the
 * last self-attention of the decoder. docs/models.md has what was measured.
 */
function isSensitive({ name, shape }: Matrix, outProjection: string | undefined): boolean {
  if (tables.includes(name)) return true;
  return Math.min(...shape) < sensitiveSize && name !== outProjection;
}

/** Gives the format of a matrix. Most matrices of a list have the same. */
export type FormatChoice = (matrix: Matrix) => WeightFormat;

/** The choice without globs: sensitive matrices of a list stay int8 in formats of four bits. */
export function defaultFormats(format: WeightFormat, { all }: ParameterList): FormatChoice {
  if (format === 'f32' || !isInt4(format)) return () => format;
  const last = all.findLast(
    ({ module, shape }) =>
      shape.length === 2 && module?.stack === 'decoder' && module.module === 'self_attn.out_proj',
  );
  return (matrix) => (isSensitive(matrix, last?.name) ? 'int8' : format);
}

/**
 * The choice that leaves the layers which match a glob of `exclude` in int8 if `format` has four bits, else in
 * f32; `auto` in the list means the sensitive matrices. A glob is compared with the name of the layer here
 * and in Hugging Face's models (`model.encoder.layers.0.fc1`, `fc1`); see `globMatcher`. Throws a HeddleError if
 * it matches nothing.
 */
export function formatsExcept(
  c: ModelConfig,
  p: ParameterList,
  format: WeightFormat,
  exclude: readonly string[],
): FormatChoice {
  const layerNames = (matrix: Pick<Matrix, 'name' | 'module'>) =>
    [matrix.name, ...hfNames(c, matrix)].flatMap((name) => [name, name.replace(/[._]weight$/, '')]);
  const globs = exclude.filter((glob) => glob !== sensitiveMatrices);
  const names = p.all.filter(({ shape }) => shape.length === 2).flatMap(layerNames);
  const matches = globMatcher('weightsExclude', globs, names);
  const otherwise = exclude.includes(sensitiveMatrices) ? defaultFormats(format, p) : () => format;
  const excluded = format !== 'f32' && isInt4(format) ? 'int8' : 'f32';
  return (matrix) => (layerNames(matrix).some(matches) ? excluded : otherwise(matrix));
}
