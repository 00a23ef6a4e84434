import { it } from 'vitest';
import { crossAttentionOp, selfAttentionOp } from '../../src/ops/attention.ts';
import '../support/gpu.ts';
import { checkOp, integers, randomTensor } from '../support/op.ts';

const lens = (...n: number[]) => integers('u32', [n.length], n);

it('attends causally to itself, with lengths and dropout', async () => {
  await checkOp(selfAttentionOp, {
    inputs: [randomTensor([3, 37, 3 * 2 * 8], 1), lens(37, 11, 0), 'step'],
    attrs: { heads: 2, headWidth: 8, causal: true, dropout: 0.1, site: 3 },
    wrt: [0],
  });
});

it('attends to another sequence, with an odd head width', async () => {
  await checkOp(crossAttentionOp, {
    inputs: [randomTensor([3, 37, 2 * 7], 1), randomTensor([3, 19, 2 * 2 * 7], 1), lens(19, 11, 0), 'step'],
    attrs: { heads: 2, headWidth: 7, causal: false, dropout: 0.1, site: 3 },
    wrt: [0, 1],
  });
});
