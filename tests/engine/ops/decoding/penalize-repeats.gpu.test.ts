// The repetition penalty on the GPU, of logits and of log-probabilities.

import { describe, it } from 'vitest';
import { f32 } from '../../../../src/core/tensor.ts';
import { bestTokensOp } from '../../../../src/engine/ops/decoding/best-tokens.ts';
import { rulesSize, writeRules } from '../../../../src/engine/ops/decoding/next-token.ts';
import { penalizeRepeatsOp } from '../../../../src/engine/ops/decoding/penalize-repeats.ts';
import { checkOp, integers, randomTensor } from '../../../support/op.ts';

describe('penalize_repeats', () => {
  for (const [R, V] of [
    [1, 4],
    [3, 5],
    [5, 513],
    [2, 1028],
  ] as const)
    for (const ofLogProbs of [false, true])
      it(`of [${R},1,${V}], ${ofLogProbs ? 'log-probabilities' : 'logits'}`, async () => {
        const inputs = {
          logits: randomTensor([R, 1, V], 3, 4),
          // Repeated tokens, a start token of -1, and tokens after the position.
          history: integers(
            'i32',
            [R, 6],
            Array.from({ length: 6 * R }, (_, i) => [-1, 2, i % V, 2, 0, 3][i % 6] as number),
          ),
          penalty: f32([1], [R % 2 === 0 ? 0.8 : 1.3]),
          step: 'step' as const,
        };
        const attrs = { ofLogProbs, vocab: V };
        await checkOp(penalizeRepeatsOp, { inputs, attrs, step: { position: 4 }, tolerance: 1e-5 });
      });

  it('leaves log-probabilities that best_tokens takes as they are', async () => {
    const [R, V] = [3, 37];
    const rules = new Int32Array(rulesSize(1));
    writeRules(rules, { minLength: 9, forceEndAt: -1, noRepeatNgram: 0, firstToken: -1, banned: [5] });
    const inputs = {
      logits: randomTensor([R, 1, V], 1, 2),
      history: integers('i32', [R, 2], [1, 0, 1, 0, 1, 0]),
      rules: integers('i32', [rules.length], Array.from(rules)),
      step: 'step' as const,
    };
    const attrs = { endId: 2, rules: true, wanted: 4, areLogProbs: true };
    await checkOp(bestTokensOp, { inputs, attrs, tolerance: 1e-6 });
  });
});
