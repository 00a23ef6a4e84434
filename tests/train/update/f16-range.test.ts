// Whether attention fits f16: T5 and mBART with scaled weights, read from an array and in parts.

import { expect, it } from 'vitest';
import { sizeOf } from '../../../src/core/tensor.ts';
import { parameterList } from '../../../src/model/parameters.ts';
import { attentionFitsF16 } from '../../../src/train/update/f16-range.ts';
import { smallHfConfig } from '../../support/hf.ts';
import { startWeights } from '../../support/model.ts';

const cases = [
  ['usual', /$^/, 1, true],
  ['large values', /self_attn.in_proj/, 1e5, false],
  ['large keys of cross-attention', /kv_proj/, 1e5, false],
  ['small queries', /q_proj/, 1e-4, false],
  ['large norms', /layers\.0\.norm1/, 1e5, false],
  ['large hidden layers, which are f32 anyway', /linear/, 1e6, true],
  ['a large residual stream, which norms bring back', /src_embed|out_proj|linear2/, 1e6, true],
] as const;
const biases = [
  ['large biases', /self_attn.in_proj_bias/, 1e5, false],
  ['large shifts of a norm', /norm2.bias/, 1e5, false],
] as const;

it.each([
  ...cases.map((row) => ['t5', ...row] as const),
  ...[...cases, ...biases].map((row) => ['mbart', ...row] as const),
])('%s: %s', async (family, _, pattern, factor, fits) => {
  const c = smallHfConfig(family);
  const p = parameterList(c);
  const weights = startWeights(c, p);
  for (const { name, offset, shape } of p.all)
    if (pattern.test(name))
      for (let i = offset; i < offset + sizeOf(shape); i++)
        weights[i] = factor * (name.endsWith('bias') ? 1 : (weights[i] ?? 0));
  expect(await attentionFitsF16(c, p, weights)).toBe(fits);
  const parts = {
    read: async ({ offset }: { offset: number }, first: number, count: number) =>
      weights.slice(offset + first, offset + first + count),
  };
  expect(await attentionFitsF16(c, p, parts)).toBe(fits);
});
