// Tensors of the CPU references: float64 numbers, row-major, indexed like matrices; and the sums of their
// formulas.

import { checkTypes } from '../../core/errors.ts';
import { type Shape, sizeOf } from '../../core/tensor.ts';

/**
 * A tensor in float64. Indices run over the last axes; the first index runs over all axes before them
 * together. Of x [B,T,D], `x.at(i)` is an element by its row-major index, `x.at(row, d)` one of the matrix
 * [B*T,D], and `x.at(b, t, d)` one by all its axes.
 *
 * @example
 * const x = new ReferenceTensor([2, 3], Float64Array.of(1, 2, 3, 4, 5, 6));
 * x.set(1, 0, x.at(0, 2) + 1); // row 1, column 0
 * console.log(x.at(3)); // 4
 */
export class ReferenceTensor {
  readonly shape: Shape;
  readonly data: Float64Array;
  readonly size: number;
  /** Rows and columns of the tensor as a matrix over its last axis. */
  readonly rows: number;
  readonly cols: number;
  readonly #secondLast: number;

  /** A tensor of `data`, by default zeros. */
  constructor(shape: Shape, data: Float64Array = new Float64Array(sizeOf(shape))) {
    checkTypes('ReferenceTensor', 'a list of whole numbers', { shape });
    checkTypes('ReferenceTensor', 'a list of numbers', { data });
    this.shape = shape;
    this.data = data;
    this.size = data.length;
    this.cols = shape.at(-1) ?? 1;
    this.#secondLast = shape.at(-2) ?? 1;
    this.rows = this.cols === 0 ? 0 : this.size / this.cols;
  }

  /** The number at an index; NaN outside of the tensor. */
  at(i: number, j?: number, k?: number): number {
    return this.data[this.#index(i, j, k)] ?? Number.NaN;
  }

  /** Sets the number at an index; the value is the last argument: `y.set(row, col, value)`. */
  set(
    ...to:
      | [i: number, value: number]
      | [i: number, j: number, value: number]
      | [number, number, number, number]
  ): void;
  set(i: number, j: number, k?: number, l?: number): void {
    if (k === undefined) this.data[i] = j;
    else if (l === undefined) this.data[i * this.cols + j] = k;
    else this.data[this.#index(i, j, k)] = l;
  }

  /** Adds to the number at an index; the addend is the last argument: `y.add(row, col, addend)`. */
  add(...to: [i: number, addend: number] | [i: number, j: number, addend: number]): void;
  add(i: number, j: number, k?: number): void {
    const at = k === undefined ? i : i * this.cols + j;
    this.data[at] = (this.data[at] ?? Number.NaN) + (k ?? j);
  }

  /** The size of an axis; a negative number counts from the last. */
  dim(axis: number): number {
    return this.shape.at(axis) ?? 0;
  }

  /** The numbers of a row of the matrix; writing to them writes to the tensor. */
  row(i: number): Float64Array {
    return this.data.subarray(i * this.cols, (i + 1) * this.cols);
  }

  #index(i: number, j?: number, k?: number): number {
    if (j === undefined) return i;
    if (k === undefined) return i * this.cols + j;
    return (i * this.#secondLast + j) * this.cols + k;
  }
}

/** Σ term(i), i from 0 to n - 1. */
export function sum(n: number, term: (i: number) => number): number {
  let total = 0;
  for (let i = 0; i < n; i++) total += term(i);
  return total;
}

/**
 * The parts of a softmax: the maximum of z, and total = Σ exp(z - max). The logsumexp of z is max +
 * log(total).
 */
export function softmaxOf(z: ArrayLike<number>): { max: number; total: number } {
  const values = Array.from(z);
  const max = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  return { max, total: sum(values.length, (i) => Math.exp((values[i] as number) - max)) };
}
