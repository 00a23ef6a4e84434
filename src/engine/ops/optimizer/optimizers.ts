// AdamW, Adam, RMSprop and SGD over whole parameter buffers of weights, gradients and moments. Learning rate,
// step count and clipping are data, so a recorded step can be replayed. An optimizer is one op here, an entry point
// of shaders/optimizer/optimizers.wgsl, and a row of src/train/update/optimizer-config.ts.

import source from '../../../../shaders/optimizer/optimizers.wgsl?raw';
import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import {
  type AnyOp,
  type Attrs,
  type AttrTypes,
  applyOp,
  attrsOf,
  type Builder,
  defineOp,
  type Value,
} from '../op.ts';
import { readStep } from '../step-scalars.ts';
import { expectStep, expectType } from '../type-checks.ts';
import { elementwise, elementwiseVariants, rangeOf, rangesOf } from '../work-division.ts';
import { clipAt, counterAt, counterLength } from './clip.ts';

const shader = { name: 'optimizers', source };

/** Weights before element `decayEnd` of the parameter buffer decay by `weightDecay`. */
export type Decay = { readonly weightDecay: number; readonly decayEnd: number };

/** Settings of AdamW and Adam. */
export type AdamAttrs = Decay & { readonly beta1: number; readonly beta2: number; readonly eps: number };
/** Settings of RMSprop: `rho` is the decay of the mean square. */
export type RmspropAttrs = { readonly rho: number; readonly eps: number };
/** Settings of SGD. */
export type SgdAttrs = Decay & { readonly momentum: number };

/** A weight that a reference updates, with its moments; NaN if the optimizer has none. */
interface Element {
  p: number;
  m: number;
  v: number;
  /** The gradient, clipped. */
  readonly g: number;
  readonly decay: number;
  readonly learningRate: number;
  /** 1 - beta^t of both moments. */
  readonly correction1: number;
  readonly correction2: number;
}

interface Rule<A extends Attrs> {
  readonly name: string;
  /** The moments that the optimizer has: m and v are the inputs of these names. */
  readonly moments: readonly ('m' | 'v')[];
  /** Whether the counters correct the bias of the moments. */
  readonly corrected: boolean;
  readonly types: AttrTypes<A>;
  /** The reference: updates one weight and its moments. */
  update(attrs: A, element: Element): void;
  /** beta1, beta2, eps and weight decay as the kernel takes them. */
  settings(attrs: A): {
    beta1?: number;
    beta2?: number;
    eps?: number;
    weightDecay?: number;
    decayEnd?: number;
  };
}

/**
 * weights, gradients, moments [P], clip [4], counters [8] if corrected, step; weights and moments are
 * written.
 */
function optimizerOp<A extends Attrs>({ name, moments, corrected, types, settings, update }: Rule<A>) {
  const op = defineOp({
    name,
    inputs: ['weights', 'gradients', 'm?', 'v?', 'clip', 'counters?', 'step'],
    attrs: attrsOf<A>(types),
    shape({ weights, gradients, clip, counters, step, ...rest }, attrs) {
      expectType(name, 'weights', weights, 'f32');
      expectType(name, 'gradients', gradients, 'f32', weights.shape, 'as the weights');
      for (const m of moments) expectType(name, m, rest[m], 'f32', weights.shape, 'as the weights');
      expectType(name, 'clip', clip, 'f32', [4]);
      if (corrected) {
        expectType(name, 'counters', counters, 'f32', [counterLength]);
        const { beta1 = 0, beta2 = 0 } = settings(attrs);
        for (const b of [beta1, beta2])
          check(b >= 0 && b < 1, msg`a beta of ${b}, must be from 0 to below 1`, { area: name });
      }
      expectStep(name, step);
      return {};
    },
    mutates: ['weights', 'm', 'v'],
    variants: elementwiseVariants,
    launch({ weights: p, gradients: g, m, v, clip, counters, step }, _outputs, attrs, { traits, variant }) {
      const { beta1 = 0, beta2 = 0, eps = 0, weightDecay = 0, decayEnd = 0 } = settings(attrs);
      const buffers = Object.entries({ p, g, m, v }).filter(
        (entry): entry is [string, Value] => entry[1] !== undefined,
      );
      const all = buffers.map(([, buffer]) => buffer);
      return rangesOf(name, all, traits.maxBindingBytes).map(([start, count]) => ({
        shader,
        entry: name,
        params: {
          count,
          decay_end: Math.min(count, Math.max(0, decayEnd - start)),
          decay: weightDecay,
          beta1,
          one_minus_beta1: 1 - beta1,
          beta2,
          one_minus_beta2: 1 - beta2,
          eps,
        },
        bind: {
          clip,
          step,
          counters,
          ...Object.fromEntries(buffers.map(([n, buffer]) => [n, rangeOf(buffer, start, count)])),
        },
        ...elementwise(variant, Math.ceil(count / 4)),
        flops: 12 * count,
      }));
    },
    reference({ weights: p, gradients: g, m, v, clip, counters, step }, _outputs, attrs) {
      if (clip.at(clipAt.finite) === 0) return;
      const { weightDecay = 0, decayEnd = 0 } = settings(attrs);
      const { learningRate } = readStep(step.data);
      const correction1 = counters?.at(counterAt.correction1) ?? 1;
      const correction2 = counters?.at(counterAt.correction2) ?? 1;
      for (let i = 0; i < p.size; i++) {
        const element: Element = {
          p: p.at(i),
          m: m?.at(i) ?? Number.NaN,
          v: v?.at(i) ?? Number.NaN,
          g: g.at(i) * clip.at(clipAt.scale),
          decay: i < decayEnd ? weightDecay : 0,
          learningRate,
          correction1,
          correction2,
        };
        update(attrs, element);
        p.set(i, element.p);
        m?.set(i, element.m);
        v?.set(i, element.v);
      }
    },
  });
  return { ...op, moments, corrected, options: Object.keys(types) };
}

/** An optimizer as an op. */
export type OptimizerOp = AnyOp & {
  /** Its moments, each an input. */
  readonly moments: readonly ('m' | 'v')[];
  /** Whether it has the input `counters`. */
  readonly corrected: boolean;
  /** Names of its attributes. */
  readonly options: readonly string[];
};

const decayTypes = { weightDecay: 'number', decayEnd: 'number' } as const;

const adamRule: Omit<Rule<AdamAttrs>, 'name' | 'update'> = {
  moments: ['m', 'v'],
  corrected: true,
  types: { beta1: 'number', beta2: 'number', eps: 'number', ...decayTypes },
  settings: (attrs) => attrs,
};

/** Updates the moments with gradient `d`; returns the step of the weight divided by the learning rate. */
function adamMove({ beta1, beta2, eps }: AdamAttrs, e: Element, d: number): number {
  e.m = beta1 * e.m + (1 - beta1) * d;
  e.v = beta2 * e.v + (1 - beta2) * d * d;
  return e.m / e.correction1 / (Math.sqrt(e.v) / Math.sqrt(e.correction2) + eps);
}

/** AdamW (Loshchilov and Hutter, 2019), decoupled weight decay, as torch.optim.AdamW. */
export const adamwOp = optimizerOp<AdamAttrs>({
  name: 'adamw',
  ...adamRule,
  update(attrs, e) {
    e.p -= e.learningRate * e.decay * e.p;
    e.p -= e.learningRate * adamMove(attrs, e, e.g);
  },
});

/** Adam (Kingma and Ba, 2015), weight decay added to the gradient, as torch.optim.Adam. */
export const adamOp = optimizerOp<AdamAttrs>({
  name: 'adam',
  ...adamRule,
  update(attrs, e) {
    e.p -= e.learningRate * adamMove(attrs, e, e.g + e.decay * e.p);
  },
});

/** RMSprop as keras.optimizers.RMSprop without momentum: eps inside the root. */
export const rmspropOp = optimizerOp<RmspropAttrs>({
  name: 'rmsprop',
  moments: ['v'],
  corrected: false,
  types: { rho: 'number', eps: 'number' },
  settings: ({ rho, eps }) => ({ beta2: rho, eps }),
  update({ rho, eps }, e) {
    e.v = rho * e.v + (1 - rho) * e.g * e.g;
    e.p -= (e.learningRate * e.g) / Math.sqrt(e.v + eps);
  },
});

/** SGD with momentum as torch.optim.SGD, no dampening, no Nesterov. */
export const sgdOp = optimizerOp<SgdAttrs>({
  name: 'sgd',
  moments: ['m'],
  corrected: false,
  types: { momentum: 'number', ...decayTypes },
  settings: ({ momentum, weightDecay, decayEnd }) => ({ beta1: momentum, weightDecay, decayEnd }),
  update({ momentum }, e) {
    e.m = momentum * e.m + e.g + e.decay * e.p;
    e.p -= e.learningRate * e.m;
  },
});

/** Inputs of every update: states, clip of `clipScale`, and the graph's step input. */
export interface UpdateInputs {
  readonly weights: Value;
  readonly gradients: Value;
  readonly clip: Value;
  readonly step: Value;
}

/** Inputs of AdamW and Adam; `counters` are those that `clipScale` counts in with the same betas. */
export type AdamInputs = UpdateInputs & Record<'m' | 'v' | 'counters', Value>;

/**
 * Updates the weights by AdamW.
 *
 * @example
 * const state = (name: string, length = 1024) => graph.state(name, 'f32', [length]);
 * const [weights, gradients] = [state('weights'), state('gradients')];
 * const counters = state('counters', counterLength);
 * const clip = clipScale(graph, gradients, counters, { maxNorm: 1, beta1: 0.9, beta2: 0.98 });
 * const inputs = { weights, gradients, m: state('m'), v: state('v'), clip, counters, step };
 * adamw(graph, inputs, { beta1: 0.9, beta2: 0.98, eps: 1e-9, weightDecay: 0.01, decayEnd: 512 });
 */
export function adamw(builder: Builder, inputs: AdamInputs, attrs: AdamAttrs): void {
  applyOp(builder, adamwOp, inputs, attrs);
}

/**
 * Updates the weights by Adam.
 *
 * @example
 * const state = (name: string, length = 1024) => graph.state(name, 'f32', [length]);
 * const [weights, gradients] = [state('weights'), state('gradients')];
 * const counters = state('counters', counterLength);
 * const clip = clipScale(graph, gradients, counters, { maxNorm: 1, beta1: 0.9, beta2: 0.98 });
 * const inputs = { weights, gradients, m: state('m'), v: state('v'), clip, counters, step };
 * adam(graph, inputs, { beta1: 0.9, beta2: 0.98, eps: 1e-9, weightDecay: 0.01, decayEnd: 512 });
 */
export function adam(builder: Builder, inputs: AdamInputs, attrs: AdamAttrs): void {
  applyOp(builder, adamOp, inputs, attrs);
}

/**
 * Updates the weights by RMSprop; v is the mean square.
 *
 * @example
 * const state = (name: string, length = 1024) => graph.state(name, 'f32', [length]);
 * const [weights, gradients] = [state('weights'), state('gradients')];
 * const clip = clipScale(graph, gradients, state('counters', counterLength), { maxNorm: 1, beta1: 0, beta2: 0 });
 * rmsprop(graph, { weights, gradients, v: state('v'), clip, step }, { rho: 0.9, eps: 1e-7 });
 */
export function rmsprop(
  builder: Builder,
  inputs: UpdateInputs & Record<'v', Value>,
  attrs: RmspropAttrs,
): void {
  applyOp(builder, rmspropOp, inputs, attrs);
}

/**
 * Updates the weights by SGD; m is the velocity.
 *
 * @example
 * const state = (name: string, length = 1024) => graph.state(name, 'f32', [length]);
 * const [weights, gradients] = [state('weights'), state('gradients')];
 * const clip = clipScale(graph, gradients, state('counters', counterLength), { maxNorm: 1, beta1: 0, beta2: 0 });
 * sgd(graph, { weights, gradients, m: state('m'), clip, step }, { momentum: 0.9, weightDecay: 0, decayEnd: 0 });
 */
export function sgd(builder: Builder, inputs: UpdateInputs & Record<'m', Value>, attrs: SgdAttrs): void {
  applyOp(builder, sgdOp, inputs, attrs);
}
