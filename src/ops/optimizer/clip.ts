// Clipping by the global norm and counting of steps, without a readback: a step whose gradients are not finite is skipped.

import { check } from '../../core/errors.ts';
import { sizeOf } from '../../core/tensor.ts';
import { expectType, inputAt } from '../expect.ts';
import { type Builder, defineOp, type Value } from '../op.ts';
import { rangeLength, rangeOf } from '../parameter-buffers.ts';

/**
 * What the counters of an optimizer hold, f32 [8], zero at first; the other places are spare. The loss scale is what gradients were
 * multiplied by, 0: by nothing; `good` counts the updates since it last changed.
 */
export const counterAt = { applied: 0, skipped: 1, correction1: 2, correction2: 3, lossScale: 4, good: 5 } as const;
/** Length of the state of counters. */
export const counterLength = 8;

/** What `clipScale` leaves: `scale` is 0 and `finite` 0 where a step is skipped; the loss scale is that of this step's gradients. */
export const clipAt = { scale: 0, norm: 1, finite: 2, lossScale: 3 } as const;

/** Between what loss scales stay: below the first nothing is gained, and gradients are not so small that more than the last is. */
export const lossScales = { least: 1, first: 2 ** 16, most: 2 ** 24 } as const;

const mostRanges = 4;
const mostBlocks = 1024;

/** Elements a block, a power of two: enough that each of 64 threads has some dozens, and at most 1024 blocks. */
function blockOf(count: number): number {
  let block = 2048;
  while (block * mostBlocks < count) block *= 2;
  return block;
}

/** Input gradients [P]; partials [blocks,2]: of each block the sum of squares, and 1 if some element is not finite. */
export const gradientNormOp = defineOp({
  name: 'gradient_norm',
  shape(inputs) {
    const g = inputAt('gradient_norm', inputs, 0, 'gradients');
    expectType('gradient_norm', 'gradients', g, 'f32');
    return [{ dtype: 'f32', shape: [Math.ceil(sizeOf(g.shape) / blockOf(sizeOf(g.shape))), 2] }];
  },
  launch({ inputs, outputs }, { traits }) {
    const [g] = inputs as [Value];
    const [partials] = outputs as [Value];
    const count = sizeOf(g.shape);
    const block = blockOf(count);
    // Whole blocks a range.
    const range = Math.floor(rangeLength(traits.maxBindingBytes) / block) * block;
    check(
      count <= mostRanges * range,
      () =>
        `gradient_norm: ${count} gradients, but bindings of ${traits.maxBindingBytes} bytes hold ${mostRanges * range}`,
    );
    const bind: Record<string, Value> = { partials_out: partials };
    for (let k = 0; k < mostRanges; k++) {
      const start = k * range < count ? k * range : 0;
      bind[`g${k}`] = rangeOf(g, start, Math.min(range, count - start));
    }
    return [
      {
        shader: 'clip',
        entry: 'gradient_norm',
        params: { count, range, block, max_norm: 0, log_beta1: 0, log_beta2: 0, growth: 0 },
        bind,
        grid: [partials.shape[0]!, 1, 1],
        flops: 2 * count,
      },
    ];
  },
  reference({ inputs: [g], outputs: [partials] }) {
    const block = blockOf(g!.data.length);
    for (const [i, x] of g!.data.entries()) {
      const b = 2 * Math.floor(i / block);
      partials!.data[b]! += x * x;
      if (!Number.isFinite(x)) partials!.data[b + 1] = 1;
    }
  },
});

/**
 * `maxNorm` 0: no clipping. The betas are those of the moments whose bias is corrected, 0 for none. `growth`: good steps after which
 * the loss scale doubles; 0 or none: never.
 */
export type ClipAttrs = {
  readonly maxNorm: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly growth?: number;
};

/**
 * Inputs partials [blocks,2] of `gradientNormOp`, counters [8] (a state, written); clip [4] = (scale, norm, finite, loss scale), see
 * `clipAt`. The scale is min(1, maxNorm / (norm + 1e-6)), as PyTorch's clip_grad_norm_, over the loss scale; the norm is that of the
 * gradients without it. Where something is not finite (an element, or the sum of squares) the step counts as skipped, the loss scale
 * halves, and everything else in the counters stays.
 */
export const clipScaleOp = defineOp<ClipAttrs>({
  name: 'clip_scale',
  shape(inputs, { maxNorm, beta1, beta2, growth = 0 }) {
    const partials = inputAt('clip_scale', inputs, 0, 'partials');
    expectType('clip_scale', 'partials', partials, 'f32', [partials.shape[0] ?? 0, 2]);
    expectType('clip_scale', 'counters', inputs[1], 'f32', [counterLength]);
    check(maxNorm >= 0, `clip_scale: a largest norm of ${maxNorm}, must be 0 (no clipping) or more`);
    for (const b of [beta1, beta2]) check(b >= 0 && b < 1, `clip_scale: a beta of ${b}, must be from 0 to below 1`);
    check(growth >= 0, `clip_scale: the loss scale grows after ${growth} steps, must be 0 (never) or more`);
    return [{ dtype: 'f32', shape: [4] }];
  },
  mutates: [1],
  launch({ inputs, outputs, attrs }) {
    const [partials, counters] = inputs as [Value, Value];
    const log = (beta: number) => (beta > 0 ? Math.log(beta) : -100);
    return [
      {
        shader: 'clip',
        entry: 'clip_scale',
        params: {
          count: partials.shape[0]!,
          range: 0,
          block: 0,
          max_norm: attrs.maxNorm,
          log_beta1: log(attrs.beta1),
          log_beta2: log(attrs.beta2),
          growth: attrs.growth ?? 0,
        },
        bind: { partials, counters, clip: outputs[0]! },
        grid: [1, 1, 1],
      },
    ];
  },
  reference({ attrs: { maxNorm, beta1, beta2, growth = 0 }, inputs: [partials, counters], outputs: [clip] }) {
    let squares = 0;
    let bad = 0;
    for (let b = 0; b < partials!.data.length; b += 2) {
      squares += partials!.data[b]!;
      bad += partials!.data[b + 1]!;
    }
    const c = counters!.data;
    const lossScale = c[counterAt.lossScale]!;
    clip!.data[clipAt.lossScale] = lossScale;
    if (bad > 0 || !Number.isFinite(squares)) {
      c[counterAt.skipped]! += 1;
      if (lossScale > 0) c[counterAt.lossScale] = Math.max(lossScales.least, lossScale / 2);
      c[counterAt.good] = 0;
      return;
    }
    const norm = Math.sqrt(squares) / (lossScale || 1);
    const t = c[counterAt.applied]! + 1;
    c[counterAt.applied] = t;
    c[counterAt.correction1] = 1 - beta1 ** t;
    c[counterAt.correction2] = 1 - beta2 ** t;
    clip!.data[clipAt.scale] = (maxNorm > 0 ? Math.min(1, maxNorm / (norm + 1e-6)) : 1) / (lossScale || 1);
    clip!.data[clipAt.norm] = norm;
    clip!.data[clipAt.finite] = 1;
    if (lossScale === 0) return;
    c[counterAt.good]! += 1;
    if (growth === 0 || c[counterAt.good]! < growth) return;
    c[counterAt.good] = 0;
    c[counterAt.lossScale] = Math.min(lossScales.most, 2 * lossScale);
  },
});

/** Norm of the gradients [P] and what to do with them: clip [4]; counts the step in `counters`, a state [8]. */
export function clipScale(builder: Builder, gradients: Value, counters: Value, attrs: ClipAttrs): Value {
  const partials = builder.apply(gradientNormOp, [gradients], {})[0]!;
  return builder.apply(clipScaleOp, [partials, counters], attrs)[0]!;
}
