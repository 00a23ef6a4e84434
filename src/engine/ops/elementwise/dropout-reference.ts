// The dropout generator on the CPU for references, with the same bits as shaders/shared/random.wgsl. A mask
// is a function of seed, step, site and element, so nothing is stored between forward and backward pass.

import { philox } from '../../../core/random.ts';
import type { ReferenceTensor } from '../reference-tensor.ts';
import { readStep, type StepScalars } from '../step-scalars.ts';
import { type DropoutAttrs, dropoutFields } from './elementwise-ops.ts';

/** The dropout factor of element i by the input `step`: 1 / (1 - rate) or 0; 1 without dropout. */
export const dropoutFactor = (
  step: ReferenceTensor | undefined,
  { rate = 0, site = 0 }: Partial<DropoutAttrs>,
): ((i: number) => number) => (rate > 0 && step ? dropoutMask(readStep(step.data), site, rate) : () => 1);

/** The factor of element `i` at `site`: 1 / (1 - rate), or 0 if it is dropped. */
export function dropoutMask(
  step: Pick<StepScalars, 'seed' | 'step'>,
  site: number,
  rate: number,
): (i: number) => number {
  const key = dropoutKey(step, site);
  const { threshold, keep_scale } = dropoutFields({ rate, site });
  return (i) => (pcg((pcg(i) + key) >>> 0) >= threshold ? keep_scale : 0);
}

/** The 32-bit key of a site, which depends on seed, step and site. */
export function dropoutKey(step: Pick<StepScalars, 'seed' | 'step'>, site: number): number {
  const pair = new Uint32Array(2);
  philox(step.step, site, step.seed, pair);
  return pair[0] ?? 0;
}

/** PCG's output function on a counter (O'Neill, 2014; Jarzynski and Olano, 2020). */
export function pcg(x: number): number {
  const state = (Math.imul(x, 747796405) + 2891336453) >>> 0;
  const word = Math.imul((state >>> ((state >>> 28) + 4)) ^ state, 277803737) >>> 0;
  return ((word >>> 22) ^ word) >>> 0;
}
