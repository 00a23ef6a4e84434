// The activations and their derivatives in float64; shaders/shared/activation-functions.wgsl has them in
// float32.

import type { Activation } from './elementwise-ops.ts';

/** The activation of `x`. */
export function activate(x: number, kind: Activation): number {
  switch (kind) {
    case 'none':
      return x;
    case 'relu':
      return Math.max(x, 0);
    case 'gelu':
      return x * normalCdf(x);
    case 'silu':
      return x * sigmoid(x);
    case 'gelu-tanh':
      return x * sigmoid(2 * tanhArgument(x));
    case 'quick-gelu':
      return x * sigmoid(1.702 * x);
  }
}

/**
 * The derivative at `x`; ReLU's is 0 at 0, as PyTorch's, and may be taken at the activation's output as well.
 */
export function activationDerivative(x: number, kind: Activation): number {
  switch (kind) {
    case 'none':
      return 1;
    case 'relu':
      return x > 0 ? 1 : 0;
    case 'gelu':
      return normalCdf(x) + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
    case 'silu': {
      const s = sigmoid(x);
      return s + x * s * (1 - s);
    }
    case 'gelu-tanh': {
      const s = sigmoid(2 * tanhArgument(x));
      return s + 2 * x * s * (1 - s) * Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x);
    }
    case 'quick-gelu': {
      const s = sigmoid(1.702 * x);
      return s + 1.702 * x * s * (1 - s);
    }
  }
}

/** The argument of tanh in the approximation of GELU; (1 + tanh(u)) / 2 is sigmoid(2u). */
const tanhArgument = (x: number): number => Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Cumulative distribution function of the normal distribution, (1 + erf(x/√2)) / 2. */
const normalCdf = (x: number): number => (1 + erf(x / Math.SQRT2)) / 2;

/** The error function to about 1e-15: Abramowitz and Stegun 7.1.6, a series of terms of one sign. */
export function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = 0;
  for (let n = 0; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    sum += term;
    term *= (2 * x * x) / (2 * n + 3);
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
