// Keeping keys and values while decoding: new rows go into a cache that lives across runs.

import { check } from '../errors.ts';
import { show, sizeOf } from '../tensor.ts';
import { expectStep, expectType, inputAt } from './expect.ts';
import { type Builder, defineOp, gridOf, type Value } from './op.ts';
import { readStep } from './step.ts';

/**
 * Inputs cache [B,L,C] (a state, written), x [B,n,C], step: rows step.position .. step.position + n - 1 of each sequence become x.
 * Rows past L are dropped. No outputs.
 */
export const kvWriteOp = defineOp({
  name: 'kv_write',
  shape(inputs) {
    const cache = inputAt('kv_write', inputs, 0, 'cache');
    const x = inputAt('kv_write', inputs, 1, 'x');
    expectType('kv_write', 'cache', cache, 'f32');
    expectType('kv_write', 'x', x, 'f32');
    expectStep('kv_write', inputs[2]);
    const [[B, L = 0, C], [b, n = 0, c]] = [cache.shape, x.shape];
    check(
      cache.shape.length === 3 && x.shape.length === 3 && B === b && C === c && n <= L,
      () =>
        `kv_write: x ${show(x.shape)} does not go into cache ${show(cache.shape)}; needs [B,n,C] and [B,L,C], n <= L`,
    );
    return [];
  },
  mutates: [0],
  launch({ inputs }) {
    const [cache, x, step] = inputs as [Value, Value, Value];
    const [batch = 0, length = 0, width = 0] = x.shape;
    return [
      {
        shader: 'kv-write',
        entry: 'kv_write',
        params: { batch, length, capacity: cache.shape[1]!, width },
        bind: { x, cache, step },
        grid: gridOf(sizeOf(x.shape), 256),
      },
    ];
  },
  reference({ inputs: [cache, x, step] }) {
    const [B = 0, n = 0, C = 0] = x!.shape;
    const L = cache!.shape[1]!;
    const { position } = readStep(step!.data);
    for (let b = 0; b < B; b++)
      for (let t = 0; t < n && position + t < L; t++)
        for (let c = 0; c < C; c++) cache!.data[(b * L + position + t) * C + c] = x!.data[(b * n + t) * C + c]!;
  },
});

/** Writes x [B,n,C] into rows step.position and following of the state cache [B,L,C]. */
export function kvWrite(builder: Builder, cache: Value, x: Value, step: Value): void {
  builder.apply(kvWriteOp, [cache, x, step], {});
}
