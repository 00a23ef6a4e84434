// References of losses and their statistics.

import {
  linearBackwardReference,
  linearReference,
  packedLinearBackwardReference,
  packedLinearReference,
} from '../matmul/matmul-references.ts';
import { type OpReference, opReference, type ReferenceOf } from '../op.ts';
import { ReferenceTensor, softmaxOf } from '../reference-tensor.ts';
import { readStep } from '../step-scalars.ts';
import type { CrossEntropyAttrs, LossInputs } from './cross-entropy.ts';
import { classesOf, crossEntropyBackwardOp, crossEntropyOp, tokenStatsOp } from './cross-entropy.ts';
import { projectedLossOp } from './projected-loss.ts';

/** Logsumexp, loss and hit of one row; loss and hit are 0 if its target is ignored. */
function rowLoss(
  logits: ReferenceTensor,
  targets: ReferenceTensor,
  attrs: CrossEntropyAttrs,
  r: number,
): { lse: number; nll: number; hit: number } {
  const { smoothing, ignore } = attrs;
  const z = logits.row(r).subarray(0, classesOf(logits, attrs));
  const target = targets.at(r);
  const { max, total } = softmaxOf(z);
  const lse = max + Math.log(total);
  if (target === ignore) return { lse, nll: 0, hit: 0 };
  const mean = z.reduce((a, v) => a + v, 0) / z.length;
  const nll = lse - (1 - smoothing) * logits.at(r, target) - smoothing * mean;
  return { lse, nll, hit: z.indexOf(max) === target ? 1 : 0 };
}

/** Sets row r of dlogits: tokenWeight · (softmax(logits) - smoothed target), 0 if the target is ignored. */
function setGradient(
  { logits, targets, step }: LossInputs<ReferenceTensor>,
  attrs: CrossEntropyAttrs,
  r: number,
  lse: number,
  dlogits: ReferenceTensor,
): void {
  const { smoothing, ignore } = attrs;
  const classes = classesOf(logits, attrs);
  const weight = targets.at(r) === ignore ? 0 : readStep(step.data).tokenWeight;
  for (let c = 0; c < logits.cols; c++) {
    const smoothed = (c === targets.at(r) ? 1 - smoothing : 0) + smoothing / classes;
    dlogits.set(
      r,
      c,
      weight === 0 || c >= classes ? 0 : weight * (Math.exp(logits.at(r, c) - lse) - smoothed),
    );
  }
}

const crossEntropyReference: ReferenceOf<typeof crossEntropyOp> = (
  inputs,
  { nll, hit, lse, dlogits },
  attrs,
) => {
  for (let r = 0; r < nll.size; r++) {
    const row = rowLoss(inputs.logits, inputs.targets, attrs, r);
    nll.set(r, row.nll);
    hit.set(r, row.hit);
    lse?.set(r, row.lse);
    if (dlogits) setGradient(inputs, attrs, r, row.lse, dlogits);
  }
};

/** References of the ops of this folder. */
export const lossReferences: readonly OpReference[] = [
  opReference(crossEntropyOp, crossEntropyReference),
  opReference(crossEntropyBackwardOp, (inputs, { dlogits }, attrs) => {
    for (let r = 0; r < dlogits.rows; r++) setGradient(inputs, attrs, r, inputs.lse.at(r), dlogits);
  }),
  opReference(
    projectedLossOp,
    ({ x, w, scales, targets, step, b }, { nll, hit, ...found }, { gradients, rows: _, format, ...loss }) => {
      const logits = new ReferenceTensor([x.rows, w.rows]);
      const dlogits = new ReferenceTensor(logits.shape);
      if (format) packedLinearReference({ x, words: w, scales, b }, { y: logits }, { format });
      else linearReference({ x, w, b }, { y: logits }, { activation: 'none' });
      crossEntropyReference({ logits, targets, step }, { nll, hit, dlogits }, { ...loss, fused: true });
      if (!gradients || !found.dx) return;
      if (format) {
        const attrs = { format, ins: x.cols };
        packedLinearBackwardReference({ dy: dlogits, words: w, scales }, { dx: found.dx }, attrs);
        return;
      }
      const wanted = { dx: true, dw: true, db: b !== undefined, epilogue: 'none' } as const;
      linearBackwardReference({ dy: dlogits, x, w }, found, wanted);
    },
  ),
  opReference(tokenStatsOp, ({ nll, hit, targets }, { stats }, { ignore }) => {
    for (let i = 0; i < nll.size; i++) {
      stats.add(0, nll.at(i));
      stats.add(1, ignore !== undefined && targets.at(i) === ignore ? 0 : 1);
      stats.add(2, hit.at(i));
    }
  }),
];
