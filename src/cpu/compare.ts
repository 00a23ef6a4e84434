// How far numbers are from those of a reference.

/** max|x - ref| / max|ref|, max|x - ref| where all of ref is 0; infinite where lengths differ or something is not a number. */
export function relativeError(got: ArrayLike<number>, want: ArrayLike<number>): number {
  if (got.length !== want.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  let largest = 0;
  for (let i = 0; i < want.length; i++) {
    const off = Math.abs((got[i] as number) - (want[i] as number));
    if (!(off >= 0)) return Number.POSITIVE_INFINITY;
    worst = Math.max(worst, off);
    largest = Math.max(largest, Math.abs(want[i] as number));
  }
  return largest === 0 ? worst : worst / largest;
}
