// The gradients of all ops, by family. Only the backward pass loads this file.

import { attentionGradients } from '../ops/attention/attention-gradients.ts';
import { elementwiseGradients } from '../ops/elementwise/elementwise-gradients.ts';
import { embeddingGradients } from '../ops/embedding/embedding-gradients.ts';
import { lossGradients } from '../ops/loss/loss-gradients.ts';
import { matmulGradients } from '../ops/matmul/matmul-gradients.ts';
import { normGradients } from '../ops/norm/norm-gradients.ts';
import type { Attrs, Op } from '../ops/op.ts';
import type { OpGradient } from '../ops/op-gradient.ts';
import { recurrenceGradients } from '../ops/recurrence/recurrence-gradients.ts';

const families: readonly Readonly<Record<string, OpGradient>>[] = [
  attentionGradients,
  elementwiseGradients,
  embeddingGradients,
  lossGradients,
  matmulGradients,
  normGradients,
  recurrenceGradients,
];
const gradients = new Map(families.flatMap((family) => Object.values(family)));

/** The gradient of an op: that of its definition, or of this library; undefined if it has none. */
export const gradientOf = <I extends string, O extends string, A extends Attrs>(
  op: Op<I, O, A>,
): Op<I, O, A>['grad'] => op.grad ?? (gradients.get(op) as Op<I, O, A>['grad']);
