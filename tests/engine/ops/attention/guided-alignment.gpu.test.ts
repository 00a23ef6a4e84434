// The loss of guided alignment and its gradient against their references, and those against differences.
import { expect, it } from 'vitest';
import {
  guidedAlignmentBackwardOp,
  guidedAlignmentOp,
  wordsOfLinks,
} from '../../../../src/engine/ops/attention/guided-alignment.ts';
import { stepData } from '../../../../src/engine/ops/step-scalars.ts';
import { errorAbout } from '../../../support/expect-error.ts';
import { checkGradient, checkOp, integers, randomTensor } from '../../../support/op.ts';

/** Inputs with queries of no link, one link, links past the length of the source, and all links. */
function inputsOf(B: number, queries: number, keys: number, inner: number) {
  const words = wordsOfLinks(keys);
  const patterns = [0, 1, 0b1010, 2 ** 31 + 1, 2 ** 32 - 1];
  const links = integers(
    'u32',
    [B, queries, words],
    Array.from({ length: B * queries * words }, (_, i) => patterns[i % patterns.length] ?? 0),
  );
  const lens = [keys, Math.ceil(keys / 2), 0];
  const kv = randomTensor([B, keys, 2 * inner], 2);
  kv.data.forEach((_, i) => {
    const row = Math.floor(i / (2 * inner));
    if (row % keys >= (lens[Math.floor(row / keys)] ?? 0)) kv.data[i] = 1e3; // padding, which is never read
  });
  const step = { dtype: 'u32' as const, shape: [8], data: stepData({ tokenWeight: 0.25 }) };
  return {
    q: randomTensor([B, queries, inner], 1),
    kv,
    lens: integers('u32', [B], lens.slice(0, B)),
    links,
    step,
  };
}

it.each([
  [1, 1, 1, 1, 0],
  [3, 5, 7, 4, 2],
  [3, 3, 31, 5, 1],
  [2, 9, 32, 8, 0],
  [2, 13, 33, 3, 1],
  [1, 4, 130, 64, 0],
])(
  'has the loss and gradient of %i sentences, %i queries, %i keys, heads of %i',
  async (B, T, S, headWidth, head) => {
    const heads = 3;
    const attrs = { heads, headWidth, head, weight: 0.5 };
    const inputs = inputsOf(B, T, S, heads * headWidth);
    await checkOp(guidedAlignmentOp, { inputs, attrs, through: ['loss', 'dscores'], tolerance: 5e-6 });
    const { q, kv } = inputs;
    await checkOp(guidedAlignmentBackwardOp, {
      inputs: { q, kv, dscores: randomTensor([B, T, S], 3) },
      attrs,
      tolerance: 5e-6,
    });
  },
);

it('rejects a head that does not exist', () => {
  const attrs = { heads: 2, headWidth: 4, head: 2, weight: 1 };
  const run = () => checkGradient(guidedAlignmentOp, { inputs: inputsOf(1, 2, 3, 8), attrs, wrt: ['q'] });
  expect(run).toThrow(errorAbout({ area: 'guided_alignment', values: [2] }));
});
