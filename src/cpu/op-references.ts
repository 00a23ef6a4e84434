// The float64 references of all ops of this library. Only the CPU engine and checks load them.

import { attentionReferences } from '../ops/attention/attention-references.ts';
import { decodingReferences } from '../ops/decoding/decoding-references.ts';
import { elementwiseReferences } from '../ops/elementwise/elementwise-references.ts';
import { embeddingReferences } from '../ops/embedding/embedding-references.ts';
import { lossReferences } from '../ops/loss/loss-references.ts';
import { matmulReferences } from '../ops/matmul/matmul-references.ts';
import { normReferences } from '../ops/norm/norm-references.ts';
import type { Attrs, Op } from '../ops/op.ts';
import { optimizerReferences } from '../ops/optimizer/optimizer-references.ts';

const references = new Map<object, unknown>([
  ...attentionReferences,
  ...decodingReferences,
  ...elementwiseReferences,
  ...embeddingReferences,
  ...lossReferences,
  ...matmulReferences,
  ...normReferences,
  ...optimizerReferences,
]);

/** The reference of an op: that of its definition, or of this library; undefined if it has none. */
export const referenceOf = <I extends string, O extends string, A extends Attrs>(
  op: Op<I, O, A>,
): Op<I, O, A>['reference'] => op.reference ?? (references.get(op) as Op<I, O, A>['reference']);
