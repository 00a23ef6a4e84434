// The dropout generator on the CPU, equal to shaders/lib/random.wgsl bit by bit: a mask is a function of seed, step, site and
// element, so that nothing is stored between forward and backward.

import { philox } from '../core/random.ts';
import type { StepScalars } from './step-scalars.ts';

/** Params every kernel with dropout takes: the threshold below which bits drop, and the scale of what is kept. */
export function dropoutParams(rate: number): { threshold: number; keepScale: number } {
  return { threshold: Math.min(0xffffffff, Math.floor(rate * 2 ** 32)), keepScale: rate < 1 ? 1 / (1 - rate) : 0 };
}

/** The factor of element `i` at `site`: 1 / (1 - rate) where kept, else 0. */
export function dropoutMask(
  step: Pick<StepScalars, 'seed' | 'step'>,
  site: number,
  rate: number,
): (i: number) => number {
  const key = dropoutKey(step, site);
  const { threshold, keepScale } = dropoutParams(rate);
  return (i) => (pcg((pcg(i) + key) >>> 0) >= threshold ? keepScale : 0);
}

/** The key of a site, a word that differs by seed, step and site. */
export function dropoutKey(step: Pick<StepScalars, 'seed' | 'step'>, site: number): number {
  const pair = new Uint32Array(2);
  philox(step.step, site, step.seed, pair);
  return pair[0] ?? 0;
}

/** PCG's output function on a counter (O'Neill, 2014; Jarzynski and Olano, 2020, "Hash functions for GPU rendering"). */
export function pcg(x: number): number {
  const state = (Math.imul(x, 747796405) + 2891336453) >>> 0;
  const word = Math.imul((state >>> ((state >>> 28) + 4)) ^ state, 277803737) >>> 0;
  return ((word >>> 22) ^ word) >>> 0;
}
