// Packs f32 numbers as f16 in u32 words: the keys and values of a source for a cache in f16.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { dim, show, sizeOf, tensorType } from '../../../core/tensor.ts';
import { attrsOf, type Builder, defineOp, type Value } from '../op.ts';
import { expectType } from '../type-checks.ts';
import { gridOf } from '../work-division.ts';

/** x f32 [..,N], 4 divides N; words u32 [..,N/2], two numbers each, rounded to f16. */
export const packF16Op = defineOp({
  name: 'pack_f16',
  inputs: ['x'],
  outputs: ['words'],
  attrs: attrsOf<Record<string, never>>(),
  shape({ x }) {
    expectType('pack_f16', 'x', x, 'f32');
    check(dim(x, -1) % 4 === 0, () => msg`x is ${show(x.shape)}, 4 must divide its width`, {
      area: 'pack_f16',
    });
    return { words: tensorType('u32', [...x.shape.slice(0, -1), dim(x, -1) / 2]) };
  },
  launch({ x }, { words }) {
    const vecs = sizeOf(x.shape) / 4;
    const grid = gridOf(vecs, 256);
    return [{ shader: 'pack-f16', entry: 'pack_f16', params: { vecs }, bind: { x, words }, grid }];
  },
});

/** x [..,N] as f16 in words u32 [..,N/2]. */
export const packF16 = (builder: Builder, x: Value): Value => builder.apply(packF16Op, { x }, {}).words;
