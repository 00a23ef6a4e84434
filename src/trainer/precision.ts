// Precision of training: f32, or mixed f16 with loss scaling.

import type { OptimizerConfig } from './optimizer-config.ts';

/** Names of the precisions. */
export const precisions = ['f32', 'f16'] as const;

/**
 * `f16` is mixed precision: activations and matmul weights are f16; sums, gradients, optimizer states and the weights
 * are f32.
 */
export type Precision = (typeof precisions)[number];

/**
 * Returns the optimizer fields of a precision: the loss scale of f16 doubles after 2,000 steps without overflow, as in
 * GradScaler of PyTorch.
 */
export const scaling = (precision: Precision = 'f32'): Partial<OptimizerConfig> =>
  precision === 'f16' ? { lossScaleGrowth: 2000 } : {};
