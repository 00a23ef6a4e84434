// Keeping keys and values while decoding: new rows go into a cache that lives across runs, those of padding into none.

import { check } from '../errors.ts';
import { show } from '../tensor.ts';
import { expectStep, expectType, inputAt } from './expect.ts';
import { type Builder, defineOp, gridOf, type Value } from './op.ts';
import { readStep } from './step.ts';

/** `padId`: the token whose keys are hidden. */
export type CacheRowsAttrs = { readonly padId: number };

/**
 * Inputs tokens i32 [B,1], used u32 [B] (a state, written), step; output rows u32 [B], where in a cache each token's keys and
 * values go: row `used`, which then grows by one, or stays where the token is padding, so that the next token overwrites what no
 * query may see. At step.position 0 all rows start anew, and the token there counts whatever it is (MarianMT starts with padding).
 */
export const cacheRowsOp = defineOp<CacheRowsAttrs>({
  name: 'cache_rows',
  shape(inputs) {
    const tokens = inputAt('cache_rows', inputs, 0, 'tokens');
    const B = tokens.shape[0] ?? 0;
    expectType('cache_rows', 'tokens', tokens, 'i32', [B, 1]);
    expectType('cache_rows', 'used', inputs[1], 'u32', [B], 'one a token');
    expectStep('cache_rows', inputs[2]);
    return [{ dtype: 'u32', shape: [B] }];
  },
  mutates: [1],
  launch({ inputs, outputs, attrs: { padId } }) {
    const [tokens, used, step] = inputs as [Value, Value, Value];
    const batch = tokens.shape[0] ?? 0;
    return [
      {
        shader: 'cache-rows',
        entry: 'cache_rows',
        params: { batch, pad: padId },
        bind: { tokens, used, rows: outputs[0]!, step },
        grid: gridOf(batch, 64),
      },
    ];
  },
  reference({ attrs: { padId }, inputs: [tokens, used, step], outputs: [rows] }) {
    const start = readStep(step!.data).position === 0;
    for (const [b, token] of tokens!.data.entries()) {
      rows!.data[b] = start ? 0 : used!.data[b]!;
      used!.data[b] = rows!.data[b]! + (start || token !== padId ? 1 : 0);
    }
  },
});

/** Rows u32 [B] of a cache for the newest tokens i32 [B,1]; counts the rows in use in the state `used` u32 [B]. */
export function cacheRows(builder: Builder, tokens: Value, used: Value, step: Value, padId: number): Value {
  return builder.apply(cacheRowsOp, [tokens, used, step], { padId })[0]!;
}

/** `column`: the first column of x that is kept. */
export type KvWriteAttrs = { readonly column: number };

/**
 * Inputs cache [B,L,C] (a state, written), x [B,n,X], rows u32 [B]: rows rows[b] .. rows[b] + n - 1 of sequence b become the
 * columns `column` .. `column` + C - 1 of x. Rows past L are dropped. No outputs.
 */
export const kvWriteOp = defineOp<KvWriteAttrs>({
  name: 'kv_write',
  shape(inputs, { column }) {
    const cache = inputAt('kv_write', inputs, 0, 'cache');
    const x = inputAt('kv_write', inputs, 1, 'x');
    expectType('kv_write', 'cache', cache, 'f32');
    expectType('kv_write', 'x', x, 'f32');
    expectType('kv_write', 'rows', inputs[2], 'u32', [cache.shape[0] ?? 0], 'one a sequence');
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
    const [cache, x, rows] = inputs as [Value, Value, Value];
    const [batch = 0, length = 0, stride = 0] = x.shape;
    const [, capacity = 0, width = 0] = cache.shape;
    return [
      {
        shader: 'kv-write',
        entry: 'kv_write',
        params: { batch, length, capacity, width, stride, column: attrs.column },
        bind: { x, cache, rows },
        grid: gridOf(batch * length * width, 256),
      },
    ];
  },
  reference({ attrs: { column }, inputs: [cache, x, rows] }) {
    const [B = 0, n = 0, X = 0] = x!.shape;
    const [, L = 0, C = 0] = cache!.shape;
    for (let b = 0; b < B; b++)
      for (let t = 0; t < n && rows!.data[b]! + t < L; t++)
        for (let c = 0; c < C; c++)
          cache!.data[(b * L + rows!.data[b]! + t) * C + c] = x!.data[(b * n + t) * X + column + c]!;
  },
});

/** Writes columns `column` and following of x [B,n,X] into rows rows[b] and following of the state cache [B,L,C]. */
export function kvWrite(builder: Builder, cache: Value, x: Value, rows: Value, column = 0): void {
  builder.apply(kvWriteOp, [cache, x, rows], { column });
}
