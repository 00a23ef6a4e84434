// Gradient clipping and the optimizer: the last nodes of a training graph, over the flat buffers of weights
// and gradients. Also the loss scaling of mixed precision.

import { check } from '../../core/errors.ts';
import type { Graph } from '../../engine/graph/graph.ts';
import type { Value } from '../../engine/ops/op.ts';
import { ema } from '../../engine/ops/optimizer/buffer-sums.ts';
import { clipScale, counterLength } from '../../engine/ops/optimizer/clip.ts';
import { adam, adamw, rmsprop, sgd } from '../../engine/ops/optimizer/optimizers.ts';
import { rangeValues, type TrainableParameters } from './trainable-parameters.ts';

/** Names of the optimizers. */
export const optimizerNames = ['adamw', 'adam', 'rmsprop', 'sgd'] as const;

/** Configuration of an optimizer, as plain data. Fields that its kind does not use are ignored. */
export interface OptimizerConfig {
  readonly kind: (typeof optimizerNames)[number];
  /** adamw, adam: decay rates of the moments. */
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  /** Decoupled for adamw, L2 for adam and sgd. */
  readonly weightDecay: number;
  /** Whether to decay biases and norms too, as PyTorch does with one parameter group. */
  readonly decayAll: boolean;
  /** rmsprop: decay rate of the mean square. */
  readonly rho: number;
  /** sgd: momentum. */
  readonly momentum: number;
  /** Maximum global norm of the gradients; 0: no clipping. */
  readonly clipNorm: number;
  /** Decay of an exponential moving average of the weights, in the state `average`; 0: none. */
  readonly emaDecay: number;
  /** Steps without overflow after which the loss scale doubles; 0: no loss scaling. */
  readonly lossScaleGrowth: number;
}

const defaults: OptimizerConfig = {
  kind: 'adamw',
  beta1: 0.9,
  beta2: 0.98,
  eps: 1e-9,
  weightDecay: 0,
  decayAll: false,
  rho: 0.9,
  momentum: 0.9,
  clipNorm: 1,
  emaDecay: 0,
  lossScaleGrowth: 0,
};

/**
 * Returns a complete configuration; throws a HeddleError that names a wrong field. The epsilon of rmsprop is
 * 1e-7, as in Keras.
 */
export function optimizerConfig(options: Partial<OptimizerConfig> = {}): OptimizerConfig {
  const o = { ...defaults, ...(options.kind === 'rmsprop' && { eps: 1e-7 }), ...options };
  check(optimizerNames.includes(o.kind), `optimizer: ${o.kind} is not one of ${optimizerNames.join(', ')}`);
  for (const field of ['beta1', 'beta2', 'rho', 'momentum', 'emaDecay'] as const)
    check(
      o[field] >= 0 && o[field] < 1,
      `optimizer: ${field} is ${o[field]}, it must be at least 0 and below 1`,
    );
  for (const field of ['weightDecay', 'clipNorm', 'lossScaleGrowth'] as const)
    check(
      o[field] >= 0 && Number.isFinite(o[field]),
      `optimizer: ${field} is ${o[field]}, it must be 0 or more`,
    );
  check(o.eps > 0 && o.eps < 1, `optimizer: eps is ${o.eps}, it must be above 0 and below 1`);
  return o;
}

/** Names of the precisions. */
export const precisions = ['f32', 'f16'] as const;

/**
 * `f16` is mixed precision: activations and matmul weights are f16; sums, gradients, optimizer states and the
 * weights are f32.
 */
export type Precision = (typeof precisions)[number];

/**
 * Returns the optimizer fields of a precision: the loss scale of f16 doubles after 2,000 steps without
 * overflow, as in GradScaler of PyTorch.
 */
export const scaling = (precision: Precision = 'f32'): Partial<OptimizerConfig> =>
  precision === 'f16' ? { lossScaleGrowth: 2000 } : {};

/** Returns the names of the optimizer states, in the order of checkpoints. */
export function optimizerStates(o: OptimizerConfig): string[] {
  const moments = {
    adamw: ['moment1', 'moment2'],
    adam: ['moment1', 'moment2'],
    rmsprop: ['moment2'],
    sgd: ['moment1'],
  };
  return [...moments[o.kind], 'counters', ...(o.emaDecay > 0 ? ['average'] : [])];
}

/**
 * Adds clipping and the update of the trainable parameters by their `gradients` to a graph. Its output `clip`
 * [4] has the scale (0 if the step was skipped because a gradient is not finite), the norm before clipping
 * and whether all gradients are finite.
 */
export function applyOptimizer(
  graph: Graph,
  step: Value,
  trainable: TrainableParameters,
  gradients: Value,
  o: OptimizerConfig,
): void {
  graph.scope('optimizer', () => {
    const { all, parameters: p, ranges } = trainable;
    const counters = graph.state('counters', 'f32', [counterLength]);
    const betas =
      o.kind === 'adamw' || o.kind === 'adam' ? { beta1: o.beta1, beta2: o.beta2 } : { beta1: 0, beta2: 0 };
    const clip = clipScale(graph, gradients, counters, {
      maxNorm: o.clipNorm,
      ...betas,
      growth: o.lossScaleGrowth,
    });
    graph.output('clip', clip);
    const partsOf = (buffer: Value, side: 'inState' | 'inBuffer') =>
      rangeValues(graph, buffer, trainable, side);
    const weights = partsOf(graph.state(trainable.state, 'f32', [all.size]), 'inState');
    const gradientParts = partsOf(gradients, 'inBuffer');
    const moments = (name: string) => partsOf(graph.state(name, 'f32', [p.size]), 'inBuffer');
    const firsts = o.kind === 'rmsprop' ? [] : moments('moment1');
    const seconds = o.kind === 'sgd' ? [] : moments('moment2');
    for (const [i, { inBuffer, length }] of ranges.entries()) {
      const inputs = { weights: weights[i] as Value, gradients: gradientParts[i] as Value, clip, step };
      const [m, v] = [firsts[i] as Value, seconds[i] as Value];
      const decayed = o.decayAll ? length : Math.min(length, Math.max(0, p.decayEnd - inBuffer));
      const decay = { weightDecay: o.weightDecay, decayEnd: decayed };
      if (o.kind === 'adamw') adamw(graph, { ...inputs, m, v, counters }, { ...betas, eps: o.eps, ...decay });
      else if (o.kind === 'adam')
        adam(graph, { ...inputs, m, v, counters }, { ...betas, eps: o.eps, ...decay });
      else if (o.kind === 'rmsprop') rmsprop(graph, { ...inputs, v }, { rho: o.rho, eps: o.eps });
      else sgd(graph, { ...inputs, m }, { momentum: o.momentum, ...decay });
    }
    if (o.emaDecay === 0) return;
    // The average of frozen weights is constant: the state is initialized with the weights.
    const averages = partsOf(graph.state('average', 'f32', [all.size]), 'inState');
    for (const [i, average] of averages.entries()) ema(graph, average, weights[i] as Value, o.emaDecay);
  });
}
