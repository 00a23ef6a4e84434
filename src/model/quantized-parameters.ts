// Quantized weights, for inference and under a LoRA adapter: matrices and token embeddings as f16 or int8; norms, biases
// and position embeddings stay f32. Quantization is a property of the parameter list, so the same model code reads quantized weights.

import { formatMiB } from '../core/format-numbers.ts';
import { sizeOf } from '../core/tensor.ts';
import type { Graph } from '../graph/graph.ts';
import type { PackedValue } from '../ops/matmul/packed-linear.ts';
import { pack, packedFormats, wordsOf } from '../ops/matmul/packed-weights.ts';
import type { Value } from '../ops/op.ts';
import type { ModelConfig } from './model-config.ts';
import { layOutParameters, type Parameter, type ParameterList, type Quantization } from './parameter-layout.ts';
import { parameterList } from './parameters.ts';

/**
 * Formats of weights: `f32`, or matrices quantized to `f16` (half the memory) or `int8` with a scale per row (a
 * quarter).
 */
export const weightFormats = ['f32', ...packedFormats] as const;
/** Name of a format of weights. */
export type WeightFormat = (typeof weightFormats)[number];

const aligned = (n: number): number => Math.ceil(n / 64) * 64;
const isQuantized = ({ name, shape, decay }: Parameter): boolean =>
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
  return { ...p, quantization: { format, matrices, words, scales, plain } };
}

/** Names of the states with quantized weights. */
const stateNames = ({ format }: Quantization, suffix = '') => ({
  words: `quantized.${format}${suffix}`,
  scales: `quantized.${format}.scales${suffix}`,
  plain: `quantized.${format}.plain${suffix}`,
});

/** The quantized matrices in a graph. */
export interface QuantizedWeights {
  /** Returns a matrix by name. Throws if it is not quantized. */
  matrix(name: string): PackedValue;
}

/**
 * Adds quantized weights to a graph. Returns the buffer and the values of the parameters that stay f32, and the
 * matrices.
 */
export function openQuantized(
  graph: Graph,
  quantization: Quantization,
  suffix?: string,
): { buffer: Value; plain: [string, Value][]; quantized: QuantizedWeights } {
  const { format, matrices, plain } = quantization;
  const names = stateNames(quantization, suffix);
  const words = graph.state(names.words, 'u32', [quantization.words]);
  const scales = quantization.scales > 0 ? graph.state(names.scales, 'f32', [quantization.scales]) : undefined;
  const buffer = graph.state(names.plain, 'f32', [plain.size]);
  const values = new Map<string, PackedValue>();
  for (const [name, { parameter, word, scale }] of matrices) {
    const [rows = 0, cols = 0] = parameter.shape;
    values.set(name, {
      format,
      words: graph.slice(words, name, word, [rows, wordsOf(format, cols)]),
      ...(scales && { scales: graph.slice(scales, `${name}.scales`, scale, [rows]) }),
    });
  }
  return {
    buffer,
    plain: plain.all.map(({ name, offset, shape }) => [name, graph.slice(buffer, name, offset, shape)]),
    quantized: {
      matrix(name) {
        const value = values.get(name);
        if (!value) throw new Error(`model: ${name} is not quantized to ${format}`);
        return value;
      },
    },
  };
}

/** Weights that are read in parts. */
export interface WeightReader {
  /** Elements `first` to `first + count - 1` of a parameter. */
  read(parameter: Parameter, first: number, count: number): Promise<Float32Array>;
}

/** Numbers in a part of a matrix that is quantized at once, as f32: 16 MiB. */
const partSize = 2 ** 22;

/** Data of a state, from element `offset` on. */
export interface StateData {
  readonly state: string;
  readonly offset: number;
  readonly data: Float32Array | Uint32Array;
}

/** A part of the weights: elements `first` to `first + count - 1` of a parameter, and the data of the states it becomes. */
export interface WeightPart {
  readonly parameter: Parameter;
  readonly first: number;
  readonly count: number;
  states(values: Float32Array): StateData[];
}

/** The weights of a list in parts of 16 MiB, each quantized by itself if the list is: one after another fills its states. */
export function* weightParts(p: ParameterList): Generator<WeightPart> {
  const { quantization, stateSuffix = '' } = p;
  const names = quantization && stateNames(quantization, stateSuffix);
  for (const parameter of p.all) {
    const { name, shape } = parameter;
    const matrix = quantization?.matrices.get(name);
    const cols = sizeOf(shape.slice(1));
    const rows = shape[0] as number;
    const most = Math.max(1, Math.floor(partSize / cols));
    for (let row = 0; row < rows; row += most) {
      const count = Math.min(most, rows - row);
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

/** Returns the size in bytes of the states with weights. */
export function weightBytes({ quantization, size, ensemble }: ParameterList): number {
  const own = 4 * (quantization ? quantization.words + quantization.scales + quantization.plain.size : size);
  return (ensemble?.others ?? []).reduce((sum, { parameters }) => sum + weightBytes(parameters), own);
}

/** Describes the memory of a format: `weights as int8: 0.80 MiB, 2.87 MiB as f32; the largest plan takes 3.10 MiB`. */
export function describeWeights(
  c: ModelConfig,
  format: WeightFormat,
  bytes: { readonly weights: number; readonly peak: number },
): string {
  const plan = bytes.peak > 0 ? `; the largest plan takes ${formatMiB(bytes.peak)}` : '';
  return `weights as ${format}: ${formatMiB(bytes.weights)}, ${formatMiB(weightBytes(parameterList(c)))} as f32${plan}`;
}
