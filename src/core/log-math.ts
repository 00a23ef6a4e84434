// Sums of probabilities in logarithms, and the digamma function.

/** log(e^a + e^b). */
export function logAdd(a: number, b: number): number {
  if (a === Number.NEGATIVE_INFINITY) return b;
  if (b === Number.NEGATIVE_INFINITY) return a;
  return a > b ? a + Math.log1p(Math.exp(b - a)) : b + Math.log1p(Math.exp(a - b));
}

/** The digamma function of a positive number, by its asymptotic expansion. */
export function digamma(given: number): number {
  let x = given;
  let sum = 0;
  for (; x < 7; x++) sum -= 1 / x;
  x -= 0.5;
  const square = 1 / (x * x);
  return (
    sum +
    Math.log(x) +
    (1 / 24) * square -
    (7 / 960) * square ** 2 +
    (31 / 8064) * square ** 3 -
    (127 / 30720) * square ** 4
  );
}
