import { it } from 'vitest';
import { crossAttentionOp, selfAttentionOp } from '../../src/ops/attention.ts';
import { checkGradient, integers, randomTensor } from '../support/op.ts';

const lens = (...n: number[]) => integers('u32', [n.length], n);

it('derives self-attention, causal, with lengths and dropout', () => {
  for (const causal of [false, true])
    for (const dropout of [0, 0.3])
      checkGradient(selfAttentionOp, {
        inputs: [randomTensor([3, 5, 18], 1), lens(5, 3, 0), 'step'],
        attrs: { heads: 2, headWidth: 3, causal, dropout, site: 4 },
        wrt: [0],
      });
});

it('derives cross-attention with respect to queries, keys and values', () => {
  checkGradient(crossAttentionOp, {
    inputs: [randomTensor([2, 3, 8], 1), randomTensor([2, 5, 16], 2), lens(5, 2), 'step'],
    attrs: { heads: 2, headWidth: 4, causal: false, dropout: 0.2, site: 1, scale: 0.7 },
    wrt: [0, 1],
  });
});
