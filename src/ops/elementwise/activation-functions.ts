// The activations by name; shaders/shared/activation-functions.wgsl has the formulas.

/**
 * Activations. GELU is the exact form with erf, `gelu-tanh` its tanh approximation (Hendrycks and Gimpel, 2016); SiLU is
 * x·sigmoid(x).
 */
export type Activation = 'none' | 'relu' | 'gelu' | 'silu' | 'gelu-tanh';

/** The numbers of the activations in WGSL. */
export const activationKinds: Readonly<Record<Activation, number>> = {
  none: 0,
  relu: 1,
  gelu: 2,
  silu: 3,
  'gelu-tanh': 4,
};

/**
 * Whether the derivative needs the activation's input; that of ReLU follows from its output, that of none from nothing.
 */
export const keepsInput = (kind: Activation): boolean => kind !== 'none' && kind !== 'relu';
