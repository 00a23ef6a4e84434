// Weights of a model kept in fewer bits for inference: matrices and tables of tokens as f16 or int8, all else as it is (norms, biases,
// tables of positions). Nothing is kept twice.

import { formatMiB } from '../core/format-numbers.ts';
import { sizeOf } from '../core/tensor.ts';
import type { Graph } from '../graph/graph.ts';
import type { PackedValue } from '../ops/matmul/packed-linear.ts';
import { pack, packedFormats, wordsOf } from '../ops/matmul/packed-weights.ts';
import type { Value } from '../ops/op.ts';
import type { ModelConfig } from './model-config.ts';
import { layOutParameters, type Parameter, type ParameterList, type Quantization } from './parameter-layout.ts';
import { parameterList } from './parameters.ts';

/** How weights may be kept: whole, or each matrix in a half or a quarter of its memory. */
export const weightFormats = ['f32', ...packedFormats] as const;
/** One of them by name. */
export type WeightFormat = (typeof weightFormats)[number];

const aligned = (n: number): number => Math.ceil(n / 64) * 64;
const isPacked = ({ name, shape }: Parameter): boolean => shape.length === 2 && !name.includes('_pos.');

/** Parameters whose weights are kept in a format; the list itself for f32. */
export function quantizedParameters(p: ParameterList, format: WeightFormat): ParameterList {
  if (format === 'f32') return p;
  let [words, scales] = [0, 0];
  const matrices = new Map<string, { parameter: Parameter; word: number; scale: number }>();
  for (const parameter of p.all.filter(isPacked)) {
    const [rows = 0, cols = 0] = parameter.shape;
    matrices.set(parameter.name, { parameter, word: words, scale: scales });
    words += aligned(rows * wordsOf(format, cols));
    if (format === 'int8') scales += aligned(rows);
  }
  const plain = layOutParameters(p.all.filter((parameter) => !isPacked(parameter)));
  return { ...p, quantization: { format, matrices, words, scales, plain } };
}

/** Names of the states that hold packed weights. */
const states = ({ format }: Quantization) => ({
  words: `quantized.${format}`,
  scales: `quantized.${format}.scales`,
  plain: `quantized.${format}.plain`,
});

/** Packed weights in a graph. */
export interface QuantizedWeights {
  /** A matrix by its name; throws where it is not packed. */
  matrix(name: string): PackedValue;
}

/** Opens packed weights in a graph: those that stay f32 as values by name, the matrices by `matrix`. */
export function openQuantized(
  graph: Graph,
  packing: Quantization,
): { bank: Value; plain: [string, Value][]; packed: QuantizedWeights } {
  const { format, matrices, plain } = packing;
  const names = states(packing);
  const words = graph.state(names.words, 'u32', [packing.words]);
  const scales = packing.scales > 0 ? graph.state(names.scales, 'f32', [packing.scales]) : undefined;
  const bank = graph.state(names.plain, 'f32', [plain.size]);
  const values = new Map<string, PackedValue>();
  for (const [name, { parameter, word, scale }] of matrices) {
    const [rows = 0, cols = 0] = parameter.shape;
    values.set(name, {
      format,
      words: graph.part(words, name, word, [rows, wordsOf(format, cols)]),
      ...(scales && { scales: graph.part(scales, `${name}.scales`, scale, [rows]) }),
    });
  }
  return {
    bank,
    plain: plain.all.map(({ name, offset, shape }) => [name, graph.part(bank, name, offset, shape)]),
    packed: {
      matrix(name) {
        const value = values.get(name);
        if (!value) throw new Error(`model: ${name} is not kept as ${format}`);
        return value;
      },
    },
  };
}

/** The contents of the states that hold weights, by name, from a bank laid out as the whole list is. */
export function weightStates(p: ParameterList, weights: Float32Array): Record<string, Float32Array | Uint32Array> {
  const { quantization } = p;
  if (!quantization) return { weights };
  const names = states(quantization);
  const words = new Uint32Array(quantization.words);
  const scales = new Float32Array(quantization.scales);
  const of = ({ offset, shape }: Parameter) => weights.subarray(offset, offset + sizeOf(shape));
  for (const { parameter, word, scale } of quantization.matrices.values()) {
    const [, cols = 0] = parameter.shape;
    pack(quantization.format, of(parameter), cols, words.subarray(word), scales.subarray(scale));
  }
  const plain = new Float32Array(quantization.plain.size);
  for (const { name, offset } of quantization.plain.all) plain.set(of(p.byName.get(name) as Parameter), offset);
  return { [names.words]: words, [names.plain]: plain, ...(quantization.scales > 0 && { [names.scales]: scales }) };
}

/** Bytes of the states that hold weights. */
export function weightBytes({ quantization, size }: ParameterList): number {
  return 4 * (quantization ? quantization.words + quantization.scales + quantization.plain.size : size);
}

/** `weights as int8: 0.80 MiB, 2.87 MiB as f32; the largest plan takes 3.10 MiB`; of the plan only where there is one. */
export function describeWeights(
  c: ModelConfig,
  format: WeightFormat,
  bytes: { readonly weights: number; readonly peak: number },
): string {
  const plan = bytes.peak > 0 ? `; the largest plan takes ${formatMiB(bytes.peak)}` : '';
  return `weights as ${format}: ${formatMiB(bytes.weights)}, ${formatMiB(weightBytes(parameterList(c)))} as f32${plan}`;
}
