// References of clipping, running sums and loss scaling.

import { type OpReference, opReference } from '../op.ts';
import { createStepWriter, readStep, stepWords } from '../step-scalars.ts';
import { accumulateOp, differenceOp, emaOp } from './buffer-sums.ts';
import { checkFiniteOp } from './check-finite.ts';
import { blockOf, clipAt, clipScaleOp, counterAt, gradientNormOp, lossScales, scaleStepOp } from './clip.ts';

/** References of clipping, sums and loss scaling; those of optimizers are in their definitions. */
export const optimizerReferences: readonly OpReference[] = [
  opReference(accumulateOp, ({ acc, x, step }) => {
    const { keep } = readStep(step.data);
    for (let i = 0; i < acc.size; i++) acc.set(i, (keep === 0 ? 0 : acc.at(i) * keep) + x.at(i));
  }),
  opReference(differenceOp, ({ before, after }) => {
    for (let i = 0; i < before.size; i++) before.set(i, after.at(i) - before.at(i));
  }),
  opReference(emaOp, ({ average, weights }, _outputs, { decay }) => {
    for (let i = 0; i < average.size; i++)
      average.set(i, decay * average.at(i) + (1 - decay) * weights.at(i));
  }),
  opReference(checkFiniteOp, ({ x, flags }, _outputs, { slot, first }) => {
    if (first) flags.data.fill(0);
    const bad = x.data.findIndex((v) => !Number.isFinite(v));
    if (bad >= 0) flags.set(slot, x.size - bad);
  }),
  opReference(gradientNormOp, ({ gradients }, { partials }) => {
    const block = blockOf(gradients.size);
    for (const [i, x] of gradients.data.entries()) {
      const b = Math.floor(i / block);
      partials.add(b, 0, x * x);
      if (!Number.isFinite(x)) partials.set(b, 1, 1);
    }
  }),
  opReference(clipScaleOp, ({ partials, counters: c }, { clip }, { maxNorm, beta1, beta2, growth = 0 }) => {
    let squares = 0;
    let bad = 0;
    for (let b = 0; b < partials.rows; b++) {
      squares += partials.at(b, 0);
      bad += partials.at(b, 1);
    }
    const lossScale = c.at(counterAt.lossScale);
    clip.set(clipAt.lossScale, lossScale);
    if (bad > 0 || !Number.isFinite(squares)) {
      c.add(counterAt.skipped, 1);
      if (lossScale > 0) c.set(counterAt.lossScale, Math.max(lossScales.min, lossScale / 2));
      c.set(counterAt.good, 0);
      return;
    }
    const norm = Math.sqrt(squares) / (lossScale || 1);
    c.add(counterAt.applied, 1);
    const t = c.at(counterAt.applied);
    c.set(counterAt.correction1, 1 - beta1 ** t);
    c.set(counterAt.correction2, 1 - beta2 ** t);
    clip.set(clipAt.scale, (maxNorm > 0 ? Math.min(1, maxNorm / (norm + 1e-6)) : 1) / (lossScale || 1));
    clip.set(clipAt.norm, norm);
    clip.set(clipAt.finite, 1);
    if (lossScale === 0) return;
    c.add(counterAt.good, 1);
    if (growth === 0 || c.at(counterAt.good) < growth) return;
    c.set(counterAt.good, 0);
    c.set(counterAt.lossScale, Math.min(lossScales.max, 2 * lossScale));
  }),
  opReference(scaleStepOp, ({ step, counters }, { scaled }) => {
    const scalars = readStep(step.data);
    const words = new Uint32Array(stepWords);
    const tokenWeight = scalars.tokenWeight * (counters.at(counterAt.lossScale) || 1);
    createStepWriter(words)({ ...scalars, tokenWeight });
    scaled.data.set(words);
  }),
];
