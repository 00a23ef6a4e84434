// Gradient clipping and the optimizer: the last nodes of a training graph, over the flat buffers of weights
// and gradients. Also the loss scaling of mixed precision.

import {
  boolean,
  checkFields,
  choice,
  defaultsOf,
  fraction,
  integer,
  notNegative,
  type OptionField,
  rate,
  type ValuesOf,
} from '../../core/fields.ts';
import { present } from '../../core/present.ts';
import type { Graph } from '../../engine/graph/graph.ts';
import type { Value } from '../../engine/ops/op.ts';
import { ema } from '../../engine/ops/optimizer/buffer-sums.ts';
import { clipScale, counterLength } from '../../engine/ops/optimizer/clip.ts';
import { adam, adamw, rmsprop, sgd } from '../../engine/ops/optimizer/optimizers.ts';
import { rangeValues, type TrainableParameters } from './trainable-parameters.ts';

/** The values that an optimizer updates: a range of the weights with its gradients and moments. */
interface Range {
  readonly weights: Value;
  readonly gradients: Value;
  /** First and second moments; only those in the optimizer's `states` may be read. */
  readonly m: Value;
  readonly v: Value;
  readonly clip: Value;
  readonly counters: Value;
  readonly step: Value;
  /** Number of elements at the start of the range that weight decay applies to. */
  readonly decayEnd: number;
}

/** An optimizer. */
interface Optimizer {
  /** Fields of `optimizerFields` that only some optimizers have, and this one has. */
  readonly options: readonly (keyof OptimizerConfig)[];
  /** Defaults that differ from those of the fields. */
  readonly defaults?: Partial<OptimizerConfig>;
  /** States with a number for each trained weight, in the order of checkpoints. */
  readonly states: readonly ('moment1' | 'moment2')[];
  /** Adds the update of a range to a graph. */
  update(graph: Graph, range: Range, o: OptimizerConfig): void;
}

const moments = ['moment1', 'moment2'] as const;
const adamOptions = ['beta1', 'beta2', 'eps', 'weightDecay'] as const;

/**
 * The optimizers. To add one, add a row here, and its op, kernel and reference in engine/ops/optimizer/; see
 * CONTRIBUTING.md. `Optimizer` in src/features/pytorch/torch-run/optimizer.py mirrors this table for PyTorch.
 */
export const optimizers: Readonly<Record<'adamw' | 'adam' | 'rmsprop' | 'sgd', Optimizer>> = {
  adamw: {
    options: adamOptions,
    states: moments,
    update: (graph, { decayEnd, ...values }, { beta1, beta2, eps, weightDecay }) =>
      adamw(graph, values, { beta1, beta2, eps, weightDecay, decayEnd }),
  },
  adam: {
    options: adamOptions,
    states: moments,
    update: (graph, { decayEnd, ...values }, { beta1, beta2, eps, weightDecay }) =>
      adam(graph, values, { beta1, beta2, eps, weightDecay, decayEnd }),
  },
  rmsprop: {
    options: ['rho', 'eps'],
    defaults: { eps: 1e-7 }, // as in Keras
    states: ['moment2'],
    update: (graph, { weights, gradients, v, clip, step }, { rho, eps }) =>
      rmsprop(graph, { weights, gradients, v, clip, step }, { rho, eps }),
  },
  sgd: {
    options: ['momentum', 'weightDecay'],
    states: ['moment1'],
    update: (graph, { weights, gradients, m, clip, step, decayEnd }, { momentum, weightDecay }) =>
      sgd(graph, { weights, gradients, m, clip, step }, { momentum, weightDecay, decayEnd }),
  },
};

/** Name of an optimizer. */
export type OptimizerName = keyof typeof optimizers;

/** Names of the optimizers. */
export const optimizerNames = Object.keys(optimizers) as readonly OptimizerName[];

/** The fields of the configuration of an optimizer. Fields that its kind does not have are ignored. */
export const optimizerFields = {
  kind: { type: choice(optimizerNames), help: 'optimizer', default: 'adamw' },
  beta1: { type: rate, help: 'decay rate of the first moment', default: 0.9 },
  beta2: { type: rate, help: 'decay rate of the second moment', default: 0.98 },
  eps: {
    type: fraction,
    help: 'constant in the denominator of the update; of rmsprop inside the root, as in Keras',
    default: 1e-9,
  },
  weightDecay: {
    type: notNegative('rate'),
    help: 'weight decay, not for biases and norms: decoupled for adamw, L2 for adam and sgd',
    default: 0,
  },
  decayAll: {
    type: boolean,
    help: 'decay biases and norms too, as PyTorch with one parameter group',
    default: false,
  },
  rho: { type: rate, help: 'decay rate of the mean square of rmsprop', default: 0.9 },
  momentum: { type: rate, help: 'momentum of sgd', default: 0.9 },
  clipNorm: {
    type: notNegative('norm'),
    help: 'clip gradients to this global norm (0: no clipping)',
    default: 1,
  },
  emaDecay: {
    type: rate,
    help: 'decay of an exponential moving average of the weights, in the state `average` (0: none)',
    default: 0,
  },
  lossScaleGrowth: {
    type: integer(0, 'steps'),
    help: 'steps without overflow after which the loss scale doubles (0: no loss scaling)',
    default: 0,
  },
} as const satisfies Readonly<Record<string, OptionField>>;

/** Configuration of an optimizer, as plain data. */
export type OptimizerConfig = ValuesOf<typeof optimizerFields>;

/** Names of the optimizers that have an option. */
export const optimizersWith = (option: keyof OptimizerConfig): OptimizerName[] =>
  optimizerNames.filter((name) => optimizers[name].options.includes(option));

/** Default of an option in words: `1e-9; rmsprop: 1e-7`. */
export const optimizerDefault = (option: keyof OptimizerConfig): string =>
  [
    String(optimizerFields[option].default),
    ...optimizerNames.flatMap((name) => {
      const own = optimizers[name].defaults?.[option];
      return own === undefined ? [] : [`${name}: ${own}`];
    }),
  ].join('; ');

/** Returns a complete configuration; throws a HeddleError that names a wrong field. */
export function optimizerConfig(options: Partial<OptimizerConfig> = {}): OptimizerConfig {
  checkFields({ area: 'optimizer' }, optimizerFields, options);
  const defaults = defaultsOf(optimizerFields);
  const { kind = defaults.kind } = options;
  return { ...defaults, ...optimizers[kind].defaults, ...options };
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
  return present([...optimizers[o.kind].states, 'counters', o.emaDecay > 0 ? 'average' : undefined]);
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
    const { options, states, update } = optimizers[o.kind];
    const beta = (name: 'beta1' | 'beta2') => (options.includes(name) ? o[name] : 0);
    const clip = clipScale(graph, gradients, counters, {
      maxNorm: o.clipNorm,
      beta1: beta('beta1'),
      beta2: beta('beta2'),
      growth: o.lossScaleGrowth,
    });
    graph.output('clip', clip);
    const partsOf = (buffer: Value, side: 'inState' | 'inBuffer') =>
      rangeValues(graph, buffer, trainable, side);
    const weights = partsOf(graph.state(trainable.state, 'f32', [all.size]), 'inState');
    const gradientParts = partsOf(gradients, 'inBuffer');
    const [firsts, seconds] = moments.map((name) =>
      states.includes(name) ? partsOf(graph.state(name, 'f32', [p.size]), 'inBuffer') : [],
    );
    for (const [i, { inBuffer, length }] of ranges.entries())
      update(
        graph,
        {
          weights: weights[i] as Value,
          gradients: gradientParts[i] as Value,
          m: firsts?.[i] as Value,
          v: seconds?.[i] as Value,
          clip,
          counters,
          step,
          decayEnd: o.decayAll ? length : Math.min(length, Math.max(0, p.decayEnd - inBuffer)),
        },
        o,
      );
    if (o.emaDecay === 0) return;
    // The average of frozen weights is constant: the state is initialized with the weights.
    const averages = partsOf(graph.state('average', 'f32', [all.size]), 'inState');
    for (const [i, average] of averages.entries()) ema(graph, average, weights[i] as Value, o.emaDecay);
  });
}
