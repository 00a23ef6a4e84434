// The greedy choice of a token on the host, from logits that an inspection read back: under the same rules as that of
// the device, by its float64 reference.

import { decodingReferences } from '../engine/ops/decoding/decoding-references.ts';
import { bannedNumbers, greedyTokenOp, rulesSize, writeRules } from '../engine/ops/decoding/next-token.ts';
import { penalizeRepeatsOp } from '../engine/ops/decoding/penalize-repeats.ts';
import type { AnyOp, ReferenceOf } from '../engine/ops/op.ts';
import { ReferenceTensor } from '../engine/ops/reference-tensor.ts';
import { stepData, stepWords } from '../engine/ops/step-scalars.ts';
import type { DecodeSettings } from './decode-options.ts';

const referenceOf = (op: AnyOp): ReferenceOf<AnyOp> =>
  (decodingReferences.find(([other]) => other === op) as (typeof decodingReferences)[number])[1];

const tensor = (shape: readonly number[], data: ArrayLike<number>) =>
  new ReferenceTensor(shape, Float64Array.from(data));

/**
 * The token that greedy decoding chooses after `past`, which begins with the start token, from logits [V]. `endId`: the
 * end token.
 */
export function greedyChoice(
  logits: Float32Array,
  past: readonly number[],
  { rules }: Pick<DecodeSettings, 'rules'>,
  endId: number,
): number {
  const written = new Int32Array(rulesSize(bannedNumbers(rules).length));
  writeRules(written, rules);
  const inputs = {
    logits: tensor([1, 1, logits.length], logits),
    history: tensor([1, past.length], past),
    rules: tensor([written.length], written),
    step: tensor([stepWords], stepData({ position: past.length - 1 })),
  };
  const { repetitionPenalty = 1 } = rules;
  if (repetitionPenalty !== 1)
    referenceOf(penalizeRepeatsOp)(
      { ...inputs, penalty: tensor([1], [repetitionPenalty]) },
      {},
      { ofLogProbs: false, vocab: logits.length },
    );
  const outputs = { tokens: tensor([1, 1], [0]), logProbs: tensor([1], [0]) };
  referenceOf(greedyTokenOp)(inputs, outputs, { endId, rules: true });
  return outputs.tokens.at(0);
}
