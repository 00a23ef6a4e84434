// Shapes, dtypes and host tensors: what every other folder speaks of. No arithmetic here.

/** Element types of graph values. `f16` host data is held as its bits in a Uint16Array. */
export type DType = 'f32' | 'f16' | 'i32' | 'u32';

/** Sizes of the axes, outermost first; row-major. A scalar is `[1]`. */
export type Shape = readonly number[];

/** What a tensor is, without its data. */
export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** Typed arrays that hold tensor data. */
export type TensorData = Float32Array | Uint16Array | Int32Array | Uint32Array;

/** A tensor in host memory, row-major; `data.length` is the product of `shape`. */
export interface Tensor extends TensorType {
  readonly data: TensorData;
}

/** Number of elements of a shape. */
export const sizeOf = (shape: Shape): number => shape.reduce((a, b) => a * b, 1);

/** Bytes of one element. */
export const bytesPer = (dtype: DType): number => (dtype === 'f16' ? 2 : 4);

/** Bytes of a whole tensor. */
export const bytesOf = (t: TensorType): number => sizeOf(t.shape) * bytesPer(t.dtype);

/** `[2,3]`, as error messages print shapes. */
export const show = (shape: Shape): string => `[${shape.join(',')}]`;

/** Whether two shapes are equal, axis by axis. */
export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((n, i) => n === b[i]);

/** Rows and columns of a tensor seen as a matrix over its last axis: `[B,T,D]` is `[B*T, D]`. */
export function matrixOf(shape: Shape): { rows: number; cols: number } {
  const cols = shape[shape.length - 1] ?? 1;
  return { rows: cols === 0 ? 0 : sizeOf(shape) / cols, cols };
}

/** A zeroed array of the right kind for `dtype`. */
export function allocate(dtype: DType, length: number): TensorData {
  switch (dtype) {
    case 'f32':
      return new Float32Array(length);
    case 'f16':
      return new Uint16Array(length);
    case 'i32':
      return new Int32Array(length);
    case 'u32':
      return new Uint32Array(length);
  }
}

/** A float32 tensor from numbers. */
export function f32(shape: Shape, data: ArrayLike<number>): Tensor {
  return { dtype: 'f32', shape, data: Float32Array.from(data) };
}

/** An int32 tensor from numbers. */
export function i32(shape: Shape, data: ArrayLike<number>): Tensor {
  return { dtype: 'i32', shape, data: Int32Array.from(data) };
}
