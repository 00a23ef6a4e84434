// How many bits training keeps of what passes between kernels, and the loss scaling that f16 needs.

import type { OptimizerConfig } from './optimizer-config.ts';

/** Names of the precisions. */
export const precisions = ['f32', 'f16'] as const;

/** `f16` is mixed: activations and weights of products are f16, everything that is summed or kept is f32. */
export type Precision = (typeof precisions)[number];

/** Fields of an optimizer that a precision asks for: f16 doubles the loss scale after 2,000 good steps, as PyTorch's GradScaler. */
export const scaling = (precision: Precision = 'f32'): Partial<OptimizerConfig> =>
  precision === 'f16' ? { lossScaleGrowth: 2000 } : {};
