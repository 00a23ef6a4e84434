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
const stateNames = ({ format }: Quantization) => ({
  words: `quantized.${format}`,
  scales: `quantized.${format}.scales`,
  plain: `quantized.${format}.plain`,
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
): { buffer: Value; plain: [string, Value][]; quantized: QuantizedWeights } {
  const { format, matrices, plain } = quantization;
  const names = stateNames(quantization);
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

/**
 * Quantizes weights [p.size] to the format of the list. Returns the contents of each state by name; for f32 the state
 * `weights`.
 */
export function weightStates(p: ParameterList, weights: Float32Array): Record<string, Float32Array | Uint32Array> {
  const { quantization } = p;
  if (!quantization) return { weights };
  const names = stateNames(quantization);
  const words = new Uint32Array(quantization.words);
  const scales = new Float32Array(quantization.scales);
  const valuesOf = ({ offset, shape }: Parameter) => weights.subarray(offset, offset + sizeOf(shape));
  for (const { parameter, word, scale } of quantization.matrices.values()) {
    const [, cols = 0] = parameter.shape;
    pack(quantization.format, valuesOf(parameter), cols, words.subarray(word), scales.subarray(scale));
  }
  const plain = new Float32Array(quantization.plain.size);
  for (const { name, offset } of quantization.plain.all) plain.set(valuesOf(p.byName.get(name) as Parameter), offset);
  return { [names.words]: words, [names.plain]: plain, ...(quantization.scales > 0 && { [names.scales]: scales }) };
}

/** Returns the size in bytes of the states with weights. */
export function weightBytes({ quantization, size }: ParameterList): number {
  return 4 * (quantization ? quantization.words + quantization.scales + quantization.plain.size : size);
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
