// Quantized weights, for inference and under a LoRA adapter: matrices and token embeddings as f16 or int8;
// norms, biases and position embeddings stay f32. Quantization is a property of the parameter list, so the
// same model code reads quantized weights.

import { formatMiB } from '../core/format-numbers.ts';
import { sizeOf } from '../core/tensor.ts';
import type { Graph } from '../engine/graph/graph.ts';
import { packedEmbedding } from '../engine/ops/embedding/packed-embedding.ts';
import { type PackedValue, packedLinear } from '../engine/ops/matmul/packed-linear.ts';
import { pack, packedFormats, wordsOf } from '../engine/ops/matmul/packed-weights.ts';
import type { ModelConfig } from './model-config.ts';
import type {
  OpenedWeights,
  Parameter,
  ParameterList,
  Quantization,
  WeightPart,
} from './parameter-layout.ts';
import { layOutParameters, weightBytes } from './parameter-layout.ts';
import { parameterList } from './parameters.ts';

/**
 * Formats of weights: `f32`, or matrices quantized to `f16` (half the memory) or `int8` with a scale per row
 * (a quarter).
 */
export const weightFormats = ['f32', ...packedFormats] as const;
/** Name of a format of weights. */
export type WeightFormat = (typeof weightFormats)[number];

const aligned = (n: number): number => Math.ceil(n / 64) * 64;
/** Whether a parameter is quantized: matrices and token embeddings. */
export const isQuantized = ({ name, shape, decay }: Parameter): boolean =>
  decay && shape.length === 2 && !name.includes('_pos.');

/** Returns a parameter list with the layout for a weight format; `p` itself for f32. */
export function quantizedParameters(p: ParameterList, format: WeightFormat): ParameterList {
  if (format === 'f32') return p;
  let [words, scales] = [0, 0];
  const matrices = new Map<string, { parameter: Parameter; word: number; scale: number }>();
  for (const parameter of p.all.filter(isQuantized)) {
    const [rows = 0, cols = 0] = parameter.shape;
    matrices.set(parameter.name, { parameter, word: words, scale: scales });
    words += aligned(rows * wordsOf(format, cols));
    if (format === 'int8') scales += aligned(rows);
  }
  const plain = layOutParameters(p.all.filter((parameter) => !isQuantized(parameter)));
  const quantization: Quantization = {
    format,
    matrices,
    words,
    scales,
    plain,
    open: (graph, stateSuffix) => openQuantized(graph, quantization, stateSuffix),
    parts: weightParts,
  };
  return { ...p, quantization };
}

/** Names of the states with quantized weights. */
const stateNames = ({ format }: Pick<Quantization, 'format'>, suffix: string) => ({
  words: `quantized.${format}${suffix}`,
  scales: `quantized.${format}.scales${suffix}`,
  plain: `quantized.${format}.plain${suffix}`,
});

/** Adds quantized weights to a graph. */
function openQuantized(graph: Graph, quantization: Quantization, suffix: string): OpenedWeights {
  const { format, matrices, plain } = quantization;
  const names = stateNames(quantization, suffix);
  const words = graph.state(names.words, 'u32', [quantization.words]);
  const scales =
    quantization.scales > 0 ? graph.state(names.scales, 'f32', [quantization.scales]) : undefined;
  const buffer = graph.state(names.plain, 'f32', [plain.size]);
  const values = new Map<string, PackedValue>();
  for (const [name, { parameter, word, scale }] of matrices) {
    const [rows = 0, cols = 0] = parameter.shape;
    values.set(name, {
      format,
      words: graph.slice(words, name, word, [rows, wordsOf(format, cols)]),
      scales: scales && graph.slice(scales, `${name}.scales`, scale, [rows]),
    });
  }
  const matrix = (name: string): PackedValue => {
    const value = values.get(name);
    if (!value) throw new Error(`model: ${name} is not quantized to ${format}`);
    return value;
  };
  return {
    buffer,
    plain: plain.all.map(({ name, offset, shape }) => [name, graph.slice(buffer, name, offset, shape)]),
    quantized: {
      linear: (x, name, b, padded) => packedLinear(graph, x, matrix(name), b, padded),
      embedding: (ids, name, options) => packedEmbedding(graph, ids, matrix(name), options),
    },
  };
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
  const names = quantization && stateNames(quantization, stateSuffix);
  for (const parameter of p.all) {
    const { name, shape } = parameter;
    const matrix = quantization?.matrices.get(name);
    const cols = sizeOf(shape.slice(1));
    const rows = shape[0] as number;
    const maxRows = Math.max(1, Math.floor(partSize / cols));
    for (let row = 0; row < rows; row += maxRows) {
      const count = Math.min(maxRows, rows - row);
      const [first, place] = [row * cols, (quantization?.plain.byName.get(name) ?? parameter).offset];
      yield {
        parameter,
        first,
        count: count * cols,
        states(values) {
          if (!quantization || !names || !matrix)
            return [{ state: names?.plain ?? `weights${stateSuffix}`, offset: place + first, data: values }];
          const width = wordsOf(quantization.format, cols);
          const words = new Uint32Array(count * width);
          const scales = new Float32Array(quantization.scales > 0 ? count : 0);
          pack(quantization.format, values, cols, words, scales);
          const packed = { state: names.words, offset: matrix.word + row * width, data: words };
          return scales.length > 0
            ? [packed, { state: names.scales, offset: matrix.scale + row, data: scales }]
            : [packed];
        },
      };
    }
  }
}

/**
 * Describes the memory of a format: `weights as int8: 0.80 MiB, 2.87 MiB as f32; the largest plan takes 3.10
 * MiB`.
 */
export function describeWeights(
  c: ModelConfig,
  format: WeightFormat,
  bytes: { readonly weights: number; readonly peak: number },
): string {
  const plan = bytes.peak > 0 ? `; the largest plan takes ${formatMiB(bytes.peak)}` : '';
  return `weights as ${format}: ${formatMiB(bytes.weights)}, ${formatMiB(weightBytes(parameterList(c)))} as f32${plan}`;
}
