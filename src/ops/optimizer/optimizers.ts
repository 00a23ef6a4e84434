// AdamW, Adam, RMSprop and SGD over flat banks of weights, gradients and moments. Learning rate, step count and clipping are data,
// so a recorded step may be replayed.

import { check } from '../../core/errors.ts';
import { elementwise, elementwiseVariants } from '../elementwise-launch.ts';
import { expectStep, expectType, inputAt } from '../expect.ts';
import { type Attrs, type Builder, defineOp, type Op, type Value } from '../op.ts';
import { rangeOf, rangesOf } from '../parameter-buffers.ts';
import { readStep } from '../step-scalars.ts';
import { clipAt, counterAt, counterLength } from './clip.ts';

/** Weights before element `decayEnd` of the bank decay by `weightDecay`. */
interface Decay extends Attrs {
  readonly weightDecay: number;
  readonly decayEnd: number;
}

/** Settings of AdamW and Adam. */
export type AdamAttrs = Decay & { readonly beta1: number; readonly beta2: number; readonly eps: number };
/** Settings of RMSprop: `rho` is what is kept of the mean square. */
export type RmspropAttrs = { readonly rho: number; readonly eps: number };
/** Settings of SGD. */
export type SgdAttrs = Decay & { readonly momentum: number };

/** One weight in a reference: what an update reads and writes. */
interface Element {
  p: number;
  /** The gradient, clipped. */
  readonly g: number;
  moments: number[];
  readonly decay: number;
  readonly learningRate: number;
  /** 1 - beta^t of both moments. */
  readonly corrections: readonly [number, number];
}

interface Rule<A> {
  readonly name: string;
  /** WGSL names of the banks of moments. */
  readonly moments: readonly ('m' | 'v')[];
  /** Whether the bias of the moments is corrected, by the counters. */
  readonly corrected: boolean;
  /** beta1, beta2, eps and weight decay as the kernel takes them. */
  settings(attrs: A): { beta1?: number; beta2?: number; eps?: number; weightDecay?: number; decayEnd?: number };
  update(attrs: A, e: Element): void;
}

/** Inputs p [P], g [P], the moments [P] each, clip [4], counters [8] where corrected, step; p and the moments are written. */
function optimizerOp<A extends Attrs>(rule: Rule<A>): Op<A> {
  const { name, moments } = rule;
  const clipInput = 2 + moments.length;
  return defineOp<A>({
    name,
    shape(inputs) {
      const p = inputAt(name, inputs, 0, 'weights');
      expectType(name, 'weights', p, 'f32');
      expectType(name, 'gradients', inputs[1], 'f32', p.shape, 'as the weights');
      moments.forEach((m, i) => {
        expectType(name, m, inputs[2 + i], 'f32', p.shape, 'as the weights');
      });
      expectType(name, 'clip', inputs[clipInput], 'f32', [4]);
      if (rule.corrected) expectType(name, 'counters', inputs[clipInput + 1], 'f32', [counterLength]);
      expectStep(name, inputs[inputs.length - 1]);
      return [];
    },
    mutates: [0, ...moments.map((_, i) => 2 + i)],
    variants: elementwiseVariants,
    launch({ inputs, attrs }, { traits, variant }) {
      const [p, g] = inputs as [Value, Value];
      const clip = inputs[clipInput]!;
      const step = inputs[inputs.length - 1]!;
      const { beta1 = 0, beta2 = 0, eps = 0, weightDecay = 0, decayEnd = 0 } = rule.settings(attrs);
      const banks = [p, g, ...inputs.slice(2, clipInput)];
      const names = ['p', 'g', ...moments];
      return rangesOf(name, banks, traits.maxBindingBytes).map(([start, count]) => {
        const bind: Record<string, Value> = { clip, step };
        if (rule.corrected) bind.counters = inputs[clipInput + 1]!;
        banks.forEach((bank, i) => {
          bind[names[i]!] = rangeOf(bank, start, count);
        });
        return {
          shader: 'optimizers',
          entry: name,
          params: {
            count,
            decay_count: Math.min(count, Math.max(0, decayEnd - start)),
            decay: weightDecay,
            beta1,
            rest1: 1 - beta1,
            beta2,
            rest2: 1 - beta2,
            eps,
          },
          bind,
          ...elementwise(variant, count),
          flops: 12 * count,
        };
      });
    },
    reference({ attrs, inputs }) {
      const [p, g] = inputs;
      const clip = inputs[clipInput]!.data;
      const counters = inputs[clipInput + 1]!.data;
      const { learningRate } = readStep(inputs[inputs.length - 1]!.data);
      const { weightDecay = 0, decayEnd = 0 } = rule.settings(attrs);
      if (clip[clipAt.finite] === 0) return;
      const corrections = [counters[counterAt.correction1]!, counters[counterAt.correction2]!] as const;
      for (let i = 0; i < p!.data.length; i++) {
        const e: Element = {
          p: p!.data[i]!,
          g: g!.data[i]! * clip[clipAt.scale]!,
          moments: moments.map((_, k) => inputs[2 + k]!.data[i]!),
          decay: i < decayEnd ? weightDecay : 0,
          learningRate,
          corrections,
        };
        rule.update(attrs, e);
        p!.data[i] = e.p;
        e.moments.forEach((x, k) => {
          inputs[2 + k]!.data[i] = x;
        });
      }
    },
  });
}

/** The moments after gradient `d`, and how far the weight moves against the learning rate. */
function adamMove({ beta1, beta2, eps }: AdamAttrs, e: Element, d: number): number {
  const [m = 0, v = 0] = e.moments;
  const [c1, c2] = e.corrections;
  e.moments = [beta1 * m + (1 - beta1) * d, beta2 * v + (1 - beta2) * d * d];
  return e.moments[0]! / c1 / (Math.sqrt(e.moments[1]!) / Math.sqrt(c2) + eps);
}

/** AdamW (Loshchilov and Hutter, 2019), decay apart from the gradient, as torch.optim.AdamW. Inputs p, g, m, v, clip, counters, step. */
export const adamwOp = optimizerOp<AdamAttrs>({
  name: 'adamw',
  moments: ['m', 'v'],
  corrected: true,
  settings: (attrs) => attrs,
  update(attrs, e) {
    e.p -= e.learningRate * e.decay * e.p;
    e.p -= e.learningRate * adamMove(attrs, e, e.g);
  },
});

/** Adam (Kingma and Ba, 2015), decay added to the gradient, as torch.optim.Adam. Inputs p, g, m, v, clip, counters, step. */
export const adamOp = optimizerOp<AdamAttrs>({
  name: 'adam',
  moments: ['m', 'v'],
  corrected: true,
  settings: (attrs) => attrs,
  update(attrs, e) {
    e.p -= e.learningRate * adamMove(attrs, e, e.g + e.decay * e.p);
  },
});

/** RMSprop as keras.optimizers.RMSprop without momentum: eps inside the root. Inputs p, g, v, clip, step. */
export const rmspropOp = optimizerOp<RmspropAttrs>({
  name: 'rmsprop',
  moments: ['v'],
  corrected: false,
  settings: ({ rho, eps }) => ({ beta2: rho, eps }),
  update({ rho, eps }, e) {
    const v = rho * e.moments[0]! + (1 - rho) * e.g * e.g;
    e.moments = [v];
    e.p -= (e.learningRate * e.g) / Math.sqrt(v + eps);
  },
});

/** SGD with momentum as torch.optim.SGD, no dampening, no Nesterov. Inputs p, g, m, clip, step. */
export const sgdOp = optimizerOp<SgdAttrs>({
  name: 'sgd',
  moments: ['m'],
  corrected: false,
  settings: ({ momentum, weightDecay, decayEnd }) => ({ beta1: momentum, weightDecay, decayEnd }),
  update({ momentum }, e) {
    const velocity = momentum * e.moments[0]! + e.g + e.decay * e.p;
    e.moments = [velocity];
    e.p -= e.learningRate * velocity;
  },
});

/** What every update works on: states, clip of `clipScale`, and the graph's step input. */
export interface UpdateInputs {
  readonly weights: Value;
  readonly gradients: Value;
  readonly clip: Value;
  readonly step: Value;
}

/** Updates the weights by AdamW; `counters` are those that `clipScale` counted in with the same betas. */
export function adamw(b: Builder, i: UpdateInputs & Record<'m' | 'v' | 'counters', Value>, attrs: AdamAttrs): void {
  checkBetas('adamw', attrs);
  b.apply(adamwOp, [i.weights, i.gradients, i.m, i.v, i.clip, i.counters, i.step], attrs);
}

/** Updates the weights by Adam; `counters` are those that `clipScale` counted in with the same betas. */
export function adam(b: Builder, i: UpdateInputs & Record<'m' | 'v' | 'counters', Value>, attrs: AdamAttrs): void {
  checkBetas('adam', attrs);
  b.apply(adamOp, [i.weights, i.gradients, i.m, i.v, i.clip, i.counters, i.step], attrs);
}

/** Updates the weights by RMSprop; v is the mean square. */
export function rmsprop(b: Builder, i: UpdateInputs & Record<'v', Value>, attrs: RmspropAttrs): void {
  b.apply(rmspropOp, [i.weights, i.gradients, i.v, i.clip, i.step], attrs);
}

/** Updates the weights by SGD; m is the velocity. */
export function sgd(b: Builder, i: UpdateInputs & Record<'m', Value>, attrs: SgdAttrs): void {
  b.apply(sgdOp, [i.weights, i.gradients, i.m, i.clip, i.step], attrs);
}

function checkBetas(op: string, { beta1, beta2 }: AdamAttrs): void {
  for (const b of [beta1, beta2]) check(b >= 0 && b < 1, `${op}: a beta of ${b}, must be from 0 to below 1`);
}
