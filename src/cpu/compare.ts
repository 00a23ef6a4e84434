// Relative error of results against a reference.

/** Returns max|x - ref| / max|ref|, or max|x - ref| if ref is all 0. Infinity if lengths differ or a difference is NaN. */
export function relativeError(got: ArrayLike<number>, want: ArrayLike<number>): number {
  if (got.length !== want.length) return Number.POSITIVE_INFINITY;
  let error = 0;
  let largest = 0;
  for (let i = 0; i < want.length; i++) {
    const off = Math.abs((got[i] as number) - (want[i] as number));
    if (!(off >= 0)) return Number.POSITIVE_INFINITY;
    error = Math.max(error, off);
    largest = Math.max(largest, Math.abs(want[i] as number));
  }
  return largest === 0 ? error : error / largest;
}
