// The error of results: that of kernels against references, of variants against each other.

import { checkTypes } from './errors.ts';

/**
 * Returns max|x - ref| / max|ref|, or max|x - ref| if ref is all 0. Infinity if lengths differ, or a difference
 * is NaN or infinite. `equalNaN`: elements with the same bits are equal, even NaN, as in memory that neither
 * side writes.
 *
 * @example
 * relativeError([1, 2.002], [1, 2]); // 0.001
 */
export function relativeError(got: ArrayLike<number>, want: ArrayLike<number>, equalNaN = false): number {
  checkTypes('relativeError', 'a list of numbers', { got, want });
  checkTypes('relativeError', 'a boolean', { equalNaN });
  if (got.length !== want.length) return Number.POSITIVE_INFINITY;
  let error = 0;
  let largest = 0;
  for (let i = 0; i < want.length; i++) {
    const [x, ref] = [got[i] as number, want[i] as number];
    if (Math.abs(ref) > largest) largest = Math.abs(ref);
    if (equalNaN && Object.is(x, ref)) continue;
    const difference = Math.abs(x - ref);
    if (!(difference < Number.POSITIVE_INFINITY)) return Number.POSITIVE_INFINITY;
    if (difference > error) error = difference;
  }
  return largest === 0 ? error : error / largest;
}
