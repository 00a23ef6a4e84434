// Quantized weights, for inference and under a LoRA adapter: matrices and token embeddings in 16, 8 or 4 bits;
// norms, biases and position embeddings stay f32. Quantization is a property of the parameter list, so the
// same model code reads quantized weights. Sensitive matrices stay int8 if the others have four bits.

import { alignedSize, sizeOf } from '../core/tensor.ts';
import type { Graph } from '../engine/graph/graph.ts';
import { packedEmbedding } from '../engine/ops/embedding/packed-embedding.ts';
import { type PackedValue, packedLinear } from '../engine/ops/matmul/packed-linear.ts';
import {
  isInt4,
  newScales,
  type PackedFormat,
  pack,
  packedFormats,
  scalesPerRow,
  scalesType,
  wordsOf,
} from '../engine/ops/matmul/packed-weights.ts';
import type { ModelConfig } from './model-config.ts';
import type {
  OpenedWeights,
  Parameter,
  ParameterList,
  Quantization,
  QuantizedMatrix,
  StateData,
  WeightPart,
} from './parameter-layout.ts';
import { layOutParameters } from './parameter-layout.ts';
import { globMatcher, hfNames } from './parameter-names.ts';
import { parameterList } from './parameters.ts';
import type { SourceKind } from './source-kind.ts';

/**
 * Formats of weights: `f32`, or matrices quantized to `f16` (half the memory), `int8` with a scale per row (a
 * quarter), or `int4` with a scale per block of 32 (a seventh; sensitive layers stay int8). `uint4` also has a
 * zero point per block; `-f32` scales are f32 instead of f16.
 */
export const weightFormats = ['f32', ...packedFormats] as const;
/** Name of a format of weights. */
export type WeightFormat = (typeof weightFormats)[number];

/** Whether a parameter is quantized: matrices and token embeddings. */
export const isQuantized = ({ init, shape, decay }: Parameter): boolean =>
  decay && shape.length === 2 && !(init.kind === 'embedding' && init.of === 'positions');

/**
 * Returns a parameter list with the layout for a weight format; `p` itself for f32. `formatOf` gives the format
 * of each matrix if it is not the same for all; f32 leaves it as it is.
 */
export function quantizedParameters(
  p: ParameterList,
  format: WeightFormat,
  formatOf: FormatChoice = defaultFormats(format, p),
): ParameterList {
  if (format === 'f32') return p;
  const formats = new Map<PackedFormat, { words: number; scales: number }>();
  const matrices = new Map<string, QuantizedMatrix>();
  for (const parameter of p.all.filter(isQuantized)) {
    const own = formatOf(parameter);
    if (own === 'f32') continue;
    const [rows = 0, cols = 0] = parameter.shape;
    const { words, scales } = formats.get(own) ?? { words: 0, scales: 0 };
    matrices.set(parameter.name, { parameter, format: own, word: words, scale: scales });
    formats.set(own, {
      words: words + alignedSize(rows * wordsOf(own, cols)),
      scales: scales + alignedSize(rows * scalesPerRow(own, cols)),
    });
  }
  const quantization: Quantization = {
    format,
    matrices,
    formats,
    elements: [...formats.values()].reduce((sum, { words, scales }) => sum + words + scales, 0),
    plain: layOutParameters(p.all.filter(({ name }) => !matrices.has(name))),
    open: (graph, stateSuffix) => openQuantized(graph, quantization, stateSuffix),
    parts: weightParts,
  };
  return { ...p, quantization };
}

/** In a list of globs: the sensitive matrices. */
const sensitiveMatrices = 'auto';

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
function formatsExcept(
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

/** How the weights of a model are stored. */
export interface WeightStorage {
  /** The format of most matrices. [f32] */
  readonly weights?: WeightFormat;
  /** Globs of layers that keep a larger format; see `formatsExcept`. [auto] */
  readonly weightsExclude?: readonly string[];
}

/** The parameter list of a model whose weights are stored so. Throws a HeddleError if a glob matches nothing. */
export function storedParameters(
  c: ModelConfig,
  { weights = 'f32', weightsExclude = [sensitiveMatrices] }: WeightStorage = {},
  source?: SourceKind,
): ParameterList {
  const p = parameterList(c, source);
  return weights === 'f32'
    ? p
    : quantizedParameters(p, weights, formatsExcept(c, p, weights, weightsExclude));
}

/** Names of the states with weights of a format. */
const stateNames = (format: PackedFormat, suffix: string) => ({
  words: `quantized.${format}${suffix}`,
  scales: `quantized.${format}.scales${suffix}`,
});

/** Name of the state with the weights that stay f32. */
const plainName = ({ format }: Pick<Quantization, 'format'>, suffix: string): string =>
  `quantized.${format}.plain${suffix}`;

/** Adds quantized weights to a graph. */
function openQuantized(graph: Graph, quantization: Quantization, suffix: string): OpenedWeights {
  const { formats, matrices, plain } = quantization;
  const states = new Map(
    [...formats].map(([format, sizes]) => {
      const names = stateNames(format, suffix);
      const dtype = isInt4(format) ? 'u32' : 'f32';
      const words = graph.state(names.words, 'u32', [sizes.words]);
      const scales = sizes.scales > 0 ? graph.state(names.scales, dtype, [sizes.scales]) : undefined;
      return [format, { words, scales }] as const;
    }),
  );
  const buffer = graph.state(plainName(quantization, suffix), 'f32', [plain.size]);
  const values = new Map<string, PackedValue>();
  for (const [name, { parameter, format, word, scale }] of matrices) {
    const [rows = 0, cols = 0] = parameter.shape;
    const state = states.get(format);
    const scales = scalesType(format, rows, cols);
    if (state)
      values.set(name, {
        format,
        words: graph.slice(state.words, name, word, [rows, wordsOf(format, cols)]),
        scales: scales && state.scales && graph.slice(state.scales, `${name}.scales`, scale, scales.shape),
      });
  }
  return {
    buffer,
    plain: plain.all.map(({ name, offset, shape }) => [name, graph.slice(buffer, name, offset, shape)]),
    quantized: {
      has: (name) => values.has(name),
      linear: (x, name, b, padded) => packedLinear(graph, x, matrixOf(values, name), b, padded),
      embedding: (ids, name, options) => packedEmbedding(graph, ids, matrixOf(values, name), options),
    },
  };
}

function matrixOf(values: ReadonlyMap<string, PackedValue>, name: string): PackedValue {
  const value = values.get(name);
  if (!value) throw new Error(`model: ${name} is not quantized`);
  return value;
}

/** Weights that are read in parts. */
export interface WeightReader {
  /** Elements `first` to `first + count - 1` of a parameter. */
  read(parameter: Parameter, first: number, count: number): Promise<Float32Array>;
}

/** Numbers in a part of a matrix that is quantized at once, as f32: 4 MiB. */
const partSize = 2 ** 20;

/**
 * The weights of a list in parts of whole rows, about 4 MiB as f32 at most. `states` of a part gives the
 * data of its states, quantized if the list is quantized.
 */
export function* weightParts(p: ParameterList): Generator<WeightPart> {
  const { quantization, stateSuffix = '' } = p;
  const plain = quantization ? plainName(quantization, stateSuffix) : `weights${stateSuffix}`;
  for (const parameter of p.all) {
    const { name, shape } = parameter;
    const matrix = quantization?.matrices.get(name);
    const cols = sizeOf(shape.slice(1));
    const rows = shape[0] as number;
    const maxRows = Math.max(1, Math.floor(partSize / cols));
    const place = (quantization?.plain.byName.get(name) ?? parameter).offset;
    for (let row = 0; row < rows; row += maxRows) {
      const count = Math.min(maxRows, rows - row);
      const first = row * cols;
      yield {
        parameter,
        first,
        count: count * cols,
        states: (values) =>
          matrix
            ? packedPart(matrix, values, row, stateSuffix)
            : [{ state: plain, offset: place + first, data: values }],
      };
    }
  }
}

/** Data of the states of rows of a quantized matrix, from row `row` on. */
function packedPart(
  { parameter, format, word, scale }: QuantizedMatrix,
  values: Float32Array,
  row: number,
  suffix: string,
): StateData[] {
  const cols = parameter.shape[1] as number;
  const [count, width] = [values.length / cols, wordsOf(format, cols)];
  const words = new Uint32Array(count * width);
  const scales = newScales(format, count, cols);
  pack(format, values, cols, words, scales);
  const names = stateNames(format, suffix);
  const packed = { state: names.words, offset: word + row * width, data: words };
  const scaleOffset = scale + row * scalesPerRow(format, cols);
  return scales.length > 0 ? [packed, { state: names.scales, offset: scaleOffset, data: scales }] : [packed];
}
