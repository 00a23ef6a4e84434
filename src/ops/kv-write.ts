// Keeping keys and values while decoding: new rows go into a cache that lives across runs.

import { check } from '../errors.ts';
import { show } from '../tensor.ts';
import { expectStep, expectType, inputAt } from './expect.ts';
import { type Builder, defineOp, gridOf, type Value } from './op.ts';
import { readStep } from './step.ts';

/** `column`: the first column of x that is kept. */
export type KvWriteAttrs = { readonly column: number };

/**
 * Inputs cache [B,L,C] (a state, written), x [B,n,X], step: rows step.position .. step.position + n - 1 of each sequence become the
 * columns `column` .. `column` + C - 1 of x. Rows past L are dropped. No outputs.
 */
export const kvWriteOp = defineOp<KvWriteAttrs>({
  name: 'kv_write',
  shape(inputs, { column }) {
    const cache = inputAt('kv_write', inputs, 0, 'cache');
    const x = inputAt('kv_write', inputs, 1, 'x');
    expectType('kv_write', 'cache', cache, 'f32');
    expectType('kv_write', 'x', x, 'f32');
    expectStep('kv_write', inputs[2]);
    const [[B, L = 0, C], [b, n = 0, X = 0]] = [cache.shape, x.shape];
    check(
      cache.shape.length === 3 && x.shape.length === 3 && B === b && column >= 0 && column + (C ?? 0) <= X && n <= L,
      () =>
        `kv_write: x ${show(x.shape)} does not go into cache ${show(cache.shape)}; from column ${column}; needs [B,n,X] and [B,L,C], column + C <= X, n <= L`,
    );
    return [];
  },
  mutates: [0],
  launch({ inputs, attrs }) {
    const [cache, x, step] = inputs as [Value, Value, Value];
    const [batch = 0, length = 0, stride = 0] = x.shape;
    const [, capacity = 0, width = 0] = cache.shape;
    return [
      {
        shader: 'kv-write',
        entry: 'kv_write',
        params: { batch, length, capacity, width, stride, column: attrs.column },
        bind: { x, cache, step },
        grid: gridOf(batch * length * width, 256),
      },
    ];
  },
  reference({ attrs: { column }, inputs: [cache, x, step] }) {
    const [B = 0, n = 0, X = 0] = x!.shape;
    const [, L = 0, C = 0] = cache!.shape;
    const { position } = readStep(step!.data);
    for (let b = 0; b < B; b++)
      for (let t = 0; t < n && position + t < L; t++)
        for (let c = 0; c < C; c++)
          cache!.data[(b * L + position + t) * C + c] = x!.data[(b * n + t) * X + column + c]!;
  },
});

/** Writes columns `column` and following of x [B,n,X] into rows step.position and following of the state cache [B,L,C]. */
export function kvWrite(builder: Builder, cache: Value, x: Value, step: Value, column = 0): void {
  builder.apply(kvWriteOp, [cache, x, step], { column });
}
