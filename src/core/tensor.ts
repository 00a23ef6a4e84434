// Shapes, element types and tensors in host memory. No arithmetic.

import { checkTypes } from './errors.ts';

/** Element types. In host memory `f16` is a Uint16Array of bits (see float16.ts). */
export type DType = 'f32' | 'f16' | 'i32' | 'u32';

/** Sizes of the axes, outermost first (row-major). A scalar has the shape `[1]`. */
export type Shape = readonly number[];

/** Element type and shape of a tensor. */
export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** Typed arrays for the data of a tensor. */
export type TensorData = Float32Array | Uint16Array | Int32Array | Uint32Array;

/** A tensor in host memory, row-major. `data.length` is the product of `shape`. */
export interface Tensor extends TensorType {
  readonly data: TensorData;
}

/**
 * Returns the number of elements of a shape.
 *
 * @example
 * sizeOf([2, 3, 4]); // 24
 */
export function sizeOf(shape: Shape): number {
  checkTypes('sizeOf', 'a list of whole numbers', { shape });
  return shape.reduce((a, b) => a * b, 1);
}

/**
 * Rounds a number of elements up to a multiple of 64. Slices of parameter buffers start there: bindings of WebGPU
 * are aligned to 256 bytes, and an element has 4.
 */
export const alignedSize = (elements: number): number => Math.ceil(elements / 64) * 64;

/** Returns the size of an element in bytes. */
export const bytesPer = (dtype: DType): number => (dtype === 'f16' ? 2 : 4);

/** Returns the size of a tensor in bytes. */
export const bytesOf = (t: TensorType): number => sizeOf(t.shape) * bytesPer(t.dtype);

/**
 * Formats a shape for error messages: `[2,3]`.
 *
 * @example
 * show([2, 3]); // '[2,3]'
 */
export function show(shape: Shape): string {
  checkTypes('show', 'a list', { shape });
  return `[${shape.join(',')}]`;
}

/** Returns whether two shapes are equal. */
export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((n, i) => n === b[i]);

/** Index of the first value that is NaN or infinite; -1 if there is none. */
export function indexOfNonFinite(data: TensorData): number {
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) return i;
  return -1;
}

/** Returns whether two arrays have the same values. */
export const sameValues = (a: TensorData, b: TensorData | undefined): boolean =>
  a.length === b?.length && !a.some((x, i) => x !== b[i]);

/** Returns the transpose of a matrix [rows, cols]. */
export function transposed<T extends Float32Array | Int8Array>(data: T, rows: number, cols: number): T {
  const out = data.slice() as T;
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < cols; c++) out[c * rows + r] = data[r * cols + c] as number;
  return out;
}

/**
 * Returns rows and columns of a tensor viewed as a matrix over its last axis: `[B,T,D]` is `[B*T, D]`.
 *
 * @example
 * matrixOf([2, 3, 4]); // { rows: 6, cols: 4 }
 */
export function matrixOf(shape: Shape): { rows: number; cols: number } {
  checkTypes('matrixOf', 'a list of whole numbers', { shape });
  const cols = shape[shape.length - 1] ?? 1;
  return { rows: cols === 0 ? 0 : sizeOf(shape) / cols, cols };
}

interface ArrayType {
  new (length: number): TensorData;
  new (buffer: ArrayBuffer, byteOffset: number, length: number): TensorData;
}

/** Typed array of each element type. */
export const arrayTypes: Readonly<Record<DType, ArrayType>> = {
  f32: Float32Array,
  f16: Uint16Array,
  i32: Int32Array,
  u32: Uint32Array,
};

/** Allocates an array of zeros for `length` elements of a type. */
export const allocate = (dtype: DType, length: number): TensorData => new arrayTypes[dtype](length);

/**
 * Makes a float32 tensor from numbers.
 *
 * @example
 * const x = f32([2, 2], [1, 2, 3, 4]);
 */
export function f32(shape: Shape, data: ArrayLike<number>): Tensor {
  checkTypes('f32', 'a list of whole numbers', { shape });
  checkTypes('f32', 'a list of numbers', { data });
  return { dtype: 'f32', shape, data: Float32Array.from(data) };
}

/**
 * Makes an int32 tensor from numbers.
 *
 * @example
 * const ids = i32([1, 3], [5, 7, 2]);
 */
export function i32(shape: Shape, data: ArrayLike<number>): Tensor {
  checkTypes('i32', 'a list of whole numbers', { shape });
  checkTypes('i32', 'a list of numbers', { data });
  return { dtype: 'i32', shape, data: Int32Array.from(data) };
}

/**
 * A tensor type: what shape rules return.
 *
 * @example
 * const type = tensorType('f32', [2, 3]);
 */
export function tensorType(dtype: DType, shape: Shape): TensorType {
  checkTypes('tensorType', 'a text', { dtype });
  checkTypes('tensorType', 'a list of whole numbers', { shape });
  return { dtype, shape };
}

/**
 * The size of an axis, 0 if there is none; a negative number counts from the last.
 *
 * @example
 * console.log(dim({ shape: [2, 3] }, -1)); // 3
 */
export function dim(tensor: { readonly shape: Shape }, axis: number): number {
  checkTypes('dim', 'a list', { 'tensor.shape': tensor?.shape });
  checkTypes('dim', 'a number', { axis });
  return tensor.shape.at(axis) ?? 0;
}
