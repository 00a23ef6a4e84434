// An ONNX graph under construction with its model, and its constants: the parameters in the dtype of the
// export.

import { toFloat16 } from '../../../core/float16.ts';
import { type Shape, sizeOf, transposed } from '../../../core/tensor.ts';
import {
  int4Rows,
  int8Rows,
  newScales,
  pack,
  vecsOf,
  wordsOf,
} from '../../../engine/ops/matmul/packed-weights.ts';
import type { ModelConfig } from '../../../model/model-config.ts';
import type { ParameterList } from '../../../model/parameter-layout.ts';
import { parameterList } from '../../../model/parameters.ts';
import { defaultFormats } from '../../../model/quantized-parameters.ts';
import type { SourceKind } from '../../../model/source-kind.ts';
import { type Name, OnnxGraph, type OnnxType } from '../engine/onnx-graph.ts';
import type { OnnxDtype } from '../onnx-format.ts';

/** A model to export. */
export interface OnnxSource {
  readonly config: ModelConfig;
  readonly sourceKind?: SourceKind;
  /** The parameter buffer, in the layout of `parameterList(config, sourceKind)`. */
  readonly weights: Float32Array;
  readonly dtype: OnnxDtype;
  /** Decoder position from which on the logits allow only the end token. */
  readonly endPosition: number;
  /** Whether the model has no_repeat_ngram_size, with which transformers.js may forbid a second end token. */
  readonly noRepeat: boolean;
  /** Source id of each id of the exported tokenizer, if they differ. */
  readonly sourceIds?: readonly number[];
}

/** A graph under construction, and its model. */
export interface Builder extends OnnxSource {
  readonly graph: OnnxGraph;
  readonly parameters: ParameterList;
  /** Names of the constants that the graph has. */
  readonly stored: Set<string>;
}

/** Starts the graph of a model. */
export const openBuilder = (title: string, source: OnnxSource): Builder => ({
  ...source,
  graph: new OnnxGraph(title),
  parameters: parameterList(source.config, source.sourceKind),
  stored: new Set(),
});

/** The size of an axis as a tensor [1]. */
export const axisSize = ({ graph: g }: Builder, x: Name, axis: number): Name =>
  g.op('Slice', [g.op('Shape', [x]), g.integers(axis), g.integers(axis + 1)]);

/** The values and the shape of a parameter. */
export function parameter(b: Builder, name: string): { values: Float32Array; shape: Shape } {
  const p = b.parameters.byName.get(name);
  if (!p) throw new Error(`onnx: there is no parameter ${name}`);
  return { values: b.weights.subarray(p.offset, p.offset + sizeOf(p.shape)), shape: p.shape };
}

/** A float32 constant. */
export const floats = (b: Builder, name: string, shape: Shape, values: Float32Array): Name =>
  constant(b, name, 'float', shape, () => values);

/** A parameter in float32: norms, biases, positions. */
export function vector(b: Builder, name: string): Name {
  const { values, shape } = parameter(b, name);
  return floats(b, name, shape, values);
}

/** Whether matrices are integers. */
const isInteger = ({ dtype }: Builder): boolean => dtype !== 'fp32' && dtype !== 'fp16';

/** x · Wᵀ for the weight of a linear layer: [.., in] -> [.., out]. */
export function product(b: Builder, x: Name, name: string): Name {
  const { values, shape } = parameter(b, name);
  const isNibbles =
    b.dtype.startsWith('q4') && defaultFormats('int4', b.parameters)({ name, shape }) === 'int4';
  return isNibbles ? nibbleProduct(b, x, name, values, shape) : b.graph.op('MatMul', [x, matrix(b, name)]);
}

/** The product as MatMulNBits of onnxruntime, whose blocks are those of `int4`. accuracy_level 1: in float32. */
function nibbleProduct(b: Builder, x: Name, name: string, values: Float32Array, shape: Shape): Name {
  const [N = 0, K = 0] = shape;
  const blocks = vecsOf('int4', K);
  if (!b.stored.has(name)) {
    const words = new Uint32Array(N * wordsOf('int4', K));
    const scales = newScales('int4', N, K);
    pack('int4', values, K, words, scales);
    constant(b, name, 'uint8', [N, blocks, 16], () => words);
    const { scales: numbers } = int4Rows('int4', values, K);
    if (b.dtype === 'q4') floats(b, `${name}.scale`, [N * blocks], numbers);
    else constant(b, `${name}.scale`, 'float16', [N * blocks], () => toFloat16(numbers));
  }
  const scale = `${name}.scale`;
  const asFloat = b.dtype === 'q4' ? scale : b.graph.op('Cast', [scale], { to: 1 });
  return b.graph.op('MatMulNBits', [x, name, asFloat], { K, N, bits: 4, block_size: 32, accuracy_level: 1 });
}

/** The weight of a linear layer, stored as [in, out] since ONNX has no product with a transposed matrix. */
export function matrix(b: Builder, name: string): Name {
  const { values, shape } = parameter(b, name);
  const [out = 0, inner = 0] = shape;
  if (!isInteger(b)) return floatMatrix(b, `${name}.T`, [inner, out], transposed(values, out, inner));
  const { rows, scales } = int8Rows(values, inner);
  const inputs = int8Matrix(b, `${name}.T`, [inner, out], () => ({
    rows: transposed(rows, out, inner),
    scales,
  }));
  return dequantized(b, inputs);
}

/** The embedding table [V, D] as the matrix [D, V] of the output projection. It is stored once. */
export function transposedTable(b: Builder, name: string): Name {
  const { values, shape } = parameter(b, name);
  const transpose = (rows: Name) => b.graph.op('Transpose', [rows], { perm: [1, 0] });
  if (!isInteger(b)) return transpose(floatMatrix(b, name, shape, values));
  const [rows = '', scales = ''] = int8Matrix(b, name, shape, () => int8Rows(values, shape[1] ?? 0));
  return dequantized(b, [transpose(rows), scales]);
}

/** Rows of an embedding table: ids [B, T] -> [B, T, D]. */
export function lookUp(b: Builder, name: string, ids: Name): Name {
  const { graph: g } = b;
  const { values, shape } = parameter(b, name);
  if (!isInteger(b)) return g.op('Gather', [floatMatrix(b, name, shape, values), ids]);
  const [rows = '', scales = ''] = int8Matrix(b, name, shape, () => int8Rows(values, shape[1] ?? 0));
  const rowsOfIds = g.op('Cast', [g.op('Gather', [rows, ids])], { to: 1 });
  return g.op('Mul', [rowsOfIds, g.op('Unsqueeze', [g.op('Gather', [scales, ids]), g.integers(-1)])]);
}

/** Constant ids [n] in int64. */
export const idTable = (g: OnnxGraph, ids: readonly number[]): Name =>
  g.constant('source_ids', 'int64', [ids.length], bytesOf(BigInt64Array.from(ids, BigInt)));

/** A matrix in float32 or float16; the runtime converts float16 to float32 when it loads the model. */
function floatMatrix(b: Builder, name: string, shape: Shape, values: Float32Array): Name {
  if (b.dtype === 'fp32') return floats(b, name, shape, values);
  return b.graph.op('Cast', [constant(b, name, 'float16', shape, () => toFloat16(values))], { to: 1 });
}

/** A matrix in int8 and its scales, one per row of `quantized`. */
function int8Matrix(
  b: Builder,
  name: string,
  shape: Shape,
  quantized: () => ReturnType<typeof int8Rows>,
): Name[] {
  if (!b.stored.has(name)) {
    const { rows, scales } = quantized();
    constant(b, name, 'int8', shape, () => rows);
    floats(b, `${name}.scale`, [scales.length], scales);
  }
  return [name, `${name}.scale`];
}

/**
 * An int8 matrix [in, out] as float32, [1, in, out]. onnxruntime-node replaces the product with a dequantized matrix
 * of two axes by MatMulNBits, which rounds the activations to 8 bits; it leaves one of three axes.
 */
const dequantized = ({ graph: g }: Builder, [rows = '', scales = '']: readonly Name[]): Name =>
  g.op('DequantizeLinear', [g.op('Unsqueeze', [rows, g.integers(0)]), scales], { axis: 2 });

/** A constant, which is added to the graph once. `data` is called only then. */
function constant(b: Builder, name: string, type: OnnxType, shape: Shape, data: () => ArrayBufferView): Name {
  if (b.stored.has(name)) return name;
  b.stored.add(name);
  return b.graph.constant(name, type, shape, bytesOf(data()));
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
