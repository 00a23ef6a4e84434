// Gradient clipping by the global norm, on the GPU without a readback. A step whose gradients are not finite
// is skipped and counted. Loss scaling (Micikevicius et al., 2018, "Mixed Precision Training"): gradients
// that pass through f16 are multiplied by a factor, so that small ones do not vanish, and divided by it in
// the update. The factor is in the optimizer's counters on the GPU, so `scaleStep` multiplies the step's
// scalars there too.

import source from '../../../../shaders/optimizer/clip.wgsl?raw';
import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { dim, sizeOf, tensorType } from '../../../core/tensor.ts';
import { applyOp, attrsOf, type Builder, defineOp, type Launch, type Value } from '../op.ts';
import { stepWords } from '../step-scalars.ts';
import { expectStep, expectType } from '../type-checks.ts';
import { rangeLength, rangeOf } from '../work-division.ts';

const shader = { name: 'clip', source };

/**
 * Indices of the counters of an optimizer, f32 [8], all 0 at first; the others are unused. Gradients are
 * multiplied by the loss scale unless it is 0; `good` counts the updates since it last changed.
 */
export const counterAt = {
  applied: 0,
  skipped: 1,
  correction1: 2,
  correction2: 3,
  lossScale: 4,
  good: 5,
} as const;
/** Number of counters. */
export const counterLength = 8;

/** Indices of the output of `clipScale`: `scale` and `finite` are 0 if the step is skipped. */
export const clipAt = { scale: 0, norm: 1, finite: 2, lossScale: 3 } as const;

/**
 * Bounds and first value of the dynamic loss scale. Values below 1 do not help; no gradient needs more than
 * 2^24.
 */
export const lossScales = { min: 1, first: 2 ** 16, max: 2 ** 24 } as const;

const maxRanges = 4;
const maxBlocks = 1024;

/** Elements per block, a power of two: dozens for each of 64 threads, and at most 1024 blocks. */
export function blockOf(count: number): number {
  let block = 2048;
  while (block * maxBlocks < count) block *= 2;
  return block;
}

/**
 * gradients [P] -> partials [blocks,2]: the sum of squares of each block, and 1 if an element is not finite.
 */
export const gradientNormOp = defineOp({
  name: 'gradient_norm',
  inputs: ['gradients'],
  outputs: ['partials'],
  shape({ gradients }) {
    expectType('gradient_norm', 'gradients', gradients, 'f32');
    const size = sizeOf(gradients.shape);
    return { partials: tensorType('f32', [Math.ceil(size / blockOf(size)), 2]) };
  },
  launch({ gradients: g }, { partials }, _attrs, { traits }) {
    const count = sizeOf(g.shape);
    const block = blockOf(count);
    // A range is a multiple of a block; of several dispatches the partial sums must start at multiples of 256
    // bytes.
    const multiple = (unit: number) => Math.floor(rangeLength(traits.maxBindingBytes) / unit) * unit;
    const one = count <= maxRanges * multiple(block);
    const range = multiple(one ? block : (256 / 8 / maxRanges) * block);
    check(
      range > 0,
      () =>
        msg`${count} gradients, but bindings of ${traits.maxBindingBytes} bytes hold ${maxRanges * multiple(block)}`,
      { area: 'gradient_norm' },
    );
    const launches: Launch[] = [];
    for (let first = 0; first < count; first += maxRanges * range) {
      const part = Math.min(maxRanges * range, count - first);
      const bind: Record<string, Value> = {
        partials_out: rangeOf(partials, (2 * first) / block, 2 * Math.ceil(part / block)),
      };
      for (let k = 0; k < maxRanges; k++) {
        const start = k * range < part ? k * range : 0;
        bind[`g${k}`] = rangeOf(g, first + start, Math.min(range, part - start));
      }
      launches.push({
        shader,
        entry: 'gradient_norm',
        params: { count: part, range, block, max_norm: 0, log_beta1: 0, log_beta2: 0, growth: 0 },
        bind,
        grid: [Math.ceil(part / block), 1, 1],
        flops: 2 * part,
      });
    }
    return launches;
  },
});

/**
 * `maxNorm`: maximum norm (0: no clipping). `beta1`, `beta2`: decay of the moments whose bias is corrected
 * (0: none). `growth`: number of finite steps after which the loss scale doubles (0, the default: never).
 */
export type ClipAttrs = {
  readonly maxNorm: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly growth?: number;
};

/**
 * Inputs partials [blocks,2] of `gradientNormOp`, counters [8] (a state, written); clip [4] = (scale, norm,
 * finite, loss scale), see `clipAt`. The scale is min(1, maxNorm / (norm + 1e-6)), as PyTorch's
 * clip_grad_norm_, over the loss scale; the norm is that of the gradients without it. If an element or the
 * sum of squares is not finite, the step counts as skipped, the loss scale halves, and the other counters
 * stay the same.
 */
export const clipScaleOp = defineOp({
  name: 'clip_scale',
  inputs: ['partials', 'counters'],
  outputs: ['clip'],
  attrs: attrsOf<ClipAttrs>({ maxNorm: 'number', beta1: 'number', beta2: 'number', growth: 'number?' }),
  shape({ partials, counters }, { maxNorm, beta1, beta2, growth = 0 }) {
    expectType('clip_scale', 'partials', partials, 'f32', [dim(partials, 0), 2]);
    expectType('clip_scale', 'counters', counters, 'f32', [counterLength]);
    check(maxNorm >= 0, msg`maxNorm is ${maxNorm}, must be 0 (no clipping) or more`, { area: 'clip_scale' });
    for (const b of [beta1, beta2])
      check(b >= 0 && b < 1, msg`a beta of ${b}, must be from 0 to below 1`, { area: 'clip_scale' });
    check(growth >= 0, msg`the loss scale grows after ${growth} steps, must be 0 (never) or more`, {
      area: 'clip_scale',
    });
    return { clip: tensorType('f32', [4]) };
  },
  mutates: ['counters'],
  launch({ partials, counters }, { clip }, attrs) {
    const log = (beta: number) => (beta > 0 ? Math.log(beta) : -100);
    return [
      {
        shader,
        entry: 'clip_scale',
        params: {
          count: dim(partials, 0),
          range: 0,
          block: 0,
          max_norm: attrs.maxNorm,
          log_beta1: log(attrs.beta1),
          log_beta2: log(attrs.beta2),
          growth: attrs.growth ?? 0,
        },
        bind: { partials, counters, clip },
        grid: [1, 1, 1],
      },
    ];
  },
});

/**
 * Norm of gradients [P] and the scale that clips them: clip [4], see `clipAt`. Counts the step in `counters`
 * [8].
 *
 * @example
 * const gradients = graph.state('gradients', 'f32', [1024]);
 * const counters = graph.state('counters', 'f32', [counterLength]);
 * const clip = clipScale(graph, gradients, counters, { maxNorm: 1, beta1: 0.9, beta2: 0.98 });
 */
export function clipScale(builder: Builder, gradients: Value, counters: Value, attrs: ClipAttrs): Value {
  const { partials } = applyOp(builder, gradientNormOp, { gradients });
  return applyOp(builder, clipScaleOp, { partials, counters }, attrs).clip;
}

/**
 * step u32 [stepWords], counters f32 [8]; scaled: the step with tokenWeight times the loss scale, if that is
 * not 0.
 */
export const scaleStepOp = defineOp({
  name: 'scale_step',
  inputs: ['step', 'counters'],
  outputs: ['scaled'],
  shape({ step, counters }) {
    expectStep('scale_step', step);
    expectType('scale_step', 'counters', counters, 'f32', [counterLength]);
    return { scaled: tensorType('u32', [stepWords]) };
  },
  launch: ({ step, counters }, { scaled }) => [
    {
      shader,
      entry: 'scale_step',
      bind: { step_in: step, counters_in: counters, step_out: scaled },
      grid: [1, 1, 1],
    },
  ],
});

/** The step's scalars for a loss whose gradients are scaled. */
export const scaleStep = (builder: Builder, step: Value, counters: Value): Value =>
  applyOp(builder, scaleStepOp, { step, counters }).scaled;
