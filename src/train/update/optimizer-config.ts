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
import type { Attrs, Value } from '../../engine/ops/op.ts';
import { ema } from '../../engine/ops/optimizer/buffer-sums.ts';
import { clipScale, counterLength } from '../../engine/ops/optimizer/clip.ts';
import {
  adamOp,
  adamwOp,
  type OptimizerOp,
  rmspropOp,
  sgdOp,
} from '../../engine/ops/optimizer/optimizers.ts';
import { rangeValues, type TrainableParameters } from './trainable-parameters.ts';

/** An optimizer. */
interface Optimizer {
  /** Its name in print. */
  readonly label: string;
  /** What updates the weights. Its attributes are fields of `optimizerFields`, and `decayEnd`. */
  readonly op: OptimizerOp;
  /** Defaults that differ from those of the fields. */
  readonly defaults?: Partial<OptimizerConfig>;
}

/**
 * The optimizers. To add one, add a row here, its op to src/engine/ops/optimizer/optimizers.ts, and its kernel to
 * shaders/optimizer/optimizers.wgsl. `Optimizer` in src/features/pytorch/torch-run/optimizer.py mirrors this table for
 * PyTorch.
 */
const rows = {
  adamw: { label: 'AdamW', op: adamwOp },
  adam: { label: 'Adam', op: adamOp },
  rmsprop: { label: 'RMSprop', op: rmspropOp, defaults: { eps: 1e-7 } }, // as in Keras
  sgd: { label: 'SGD', op: sgdOp },
};

/** Name of an optimizer. */
export type OptimizerName = keyof typeof rows;

/** The optimizers by name. */
export const optimizers: Readonly<Record<OptimizerName, Optimizer>> = rows;

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
  optimizerNames.filter((name) => optimizers[name].op.options.includes(option));

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

/**
 * The attributes of the op of an optimizer.
 *
 * @param decayEnd number of weights, at the start of its buffer, that decay
 */
export function optimizerAttrs(o: OptimizerConfig, decayEnd: number): Attrs {
  const values: Attrs = { ...o, decayEnd };
  return Object.fromEntries(optimizers[o.kind].op.options.map((name) => [name, values[name]]));
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

/** Names of the states of both moments: a number for each trained weight. */
const momentStates = { m: 'moment1', v: 'moment2' } as const;

/** Returns the names of the optimizer states, in the order of checkpoints. */
export function optimizerStates(o: OptimizerConfig): string[] {
  const { moments } = optimizers[o.kind].op;
  return present([
    ...moments.map((name) => momentStates[name]),
    'counters',
    o.emaDecay > 0 ? 'average' : undefined,
  ]);
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
    const { op } = optimizers[o.kind];
    const beta = (name: 'beta1' | 'beta2') => (op.options.includes(name) ? o[name] : 0);
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
    const momentParts = op.moments.map(
      (name) => [name, partsOf(graph.state(momentStates[name], 'f32', [p.size]), 'inBuffer')] as const,
    );
    for (const [i, { inBuffer, length }] of ranges.entries()) {
      const inputs = {
        weights: weights[i] as Value,
        gradients: gradientParts[i] as Value,
        ...Object.fromEntries(momentParts.map(([name, parts]) => [name, parts[i]])),
        clip,
        counters: op.corrected ? counters : undefined,
        step,
      };
      const decayEnd = o.decayAll ? length : Math.min(length, Math.max(0, p.decayEnd - inBuffer));
      graph.apply(op, inputs, optimizerAttrs(o, decayEnd));
    }
    if (o.emaDecay === 0) return;
    // The average of frozen weights is constant: the state is initialized with the weights.
    const averages = partsOf(graph.state('average', 'f32', [all.size]), 'inState');
    for (const [i, average] of averages.entries()) ema(graph, average, weights[i] as Value, o.emaDecay);
  });
}
