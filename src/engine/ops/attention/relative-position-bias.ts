// The relative position bias of T5 (Raffel et al., 2020, "Exploring the Limits of Transfer Learning"): a
// learned number for each head and bucket of distances. It is expanded to distances once per stack;
// selfAttention and cachedSelfAttention add it to the scores.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { dim, show, sizeOf, tensorType } from '../../../core/tensor.ts';
import { applyOp, attrsOf, type Builder, defineOp, type Launch, type Value } from '../op.ts';
import { expectType } from '../type-checks.ts';
import { gridOf } from '../work-division.ts';
import { farthestOf } from './position-bias.ts';

/**
 * How distances become buckets: `relative_attention_max_distance`, and whether keys after the query have
 * buckets.
 */
export type RelativePositionAttrs = {
  /** From this distance on all keys share a bucket; at most 65,535. */
  readonly maxDistance: number;
  /**
   * true (encoder): half of the buckets are of keys after the query. false (decoder): those keys are in
   * bucket 0.
   */
  readonly bidirectional: boolean;
};

/** Buckets of one direction. The first has distance 0; the last, from `starts.at(-1)` on, has no end. */
export interface RelativeBuckets {
  /** First distance of each bucket. */
  readonly starts: readonly number[];
  /** Number of buckets before those of keys after the query; 0 if these have none. */
  readonly forward: number;
}

/** Name of the op. */
export const biasName = 'relative_position_bias';

/** Words of Params.starts in shaders/attention/relative-position-bias.wgsl; each holds two distances. */
const startWords = 32;

/**
 * The buckets of one direction. Distances below e = n/2 have their own bucket, the others share n - e buckets
 * of logarithmic width: bucket e + k begins at the smallest d with (d/e)^(n-e) >= (maxDistance/e)^k, in
 * integers. Throws a HeddleError if the sizes make no buckets.
 */
export function relativeBuckets(
  buckets: number,
  { maxDistance, bidirectional }: RelativePositionAttrs,
): RelativeBuckets {
  const n = bidirectional ? Math.floor(buckets / 2) : buckets;
  const exact = Math.floor(n / 2);
  const max = 4 * startWords * (bidirectional ? 2 : 1);
  check(
    Number.isInteger(buckets) && n >= 2 && buckets <= max,
    msg`${buckets} buckets${bidirectional ? ' for two directions' : ''}, must be ${bidirectional ? 4 : 2} to ${max}`,
    { area: biasName },
  );
  check(
    Number.isInteger(maxDistance) && maxDistance > exact && maxDistance <= 65535,
    msg`a maximum distance of ${maxDistance}, must be ${exact + 1} to 65535 for ${buckets} buckets`,
    { area: biasName },
  );
  const [e, p] = [BigInt(exact), BigInt(n - exact)];
  const starts = Array.from({ length: n }, (_, i) => i);
  for (let k = 1; k < n - exact; k++) {
    const bound = BigInt(maxDistance) ** BigInt(k) * e ** p;
    let [low, high] = [exact, maxDistance]; // binary search: maxDistance itself always reaches the bound
    while (low < high) {
      const d = (low + high) >> 1;
      if (BigInt(d) ** p * e ** BigInt(k) >= bound) high = d;
      else low = d + 1;
    }
    starts[exact + k] = low;
  }
  return { starts, forward: bidirectional ? n : 0 };
}

/** The bucket of a key `distance` positions after the query (before it, if negative). */
export function bucketOf({ starts, forward }: RelativeBuckets, distance: number): number {
  if (distance > 0 && forward === 0) return 0;
  const bucket = starts.findLastIndex((start) => start <= Math.abs(distance));
  return distance > 0 ? forward + bucket : bucket;
}

/** A dispatch with one thread for each number of `result`; `bias` is the bias or its gradient. */
export function biasLaunch(
  entry: string,
  { starts, forward }: RelativeBuckets,
  bias: Value,
  result: Value,
  bind: Launch['bind'],
) {
  const exact = Math.floor(starts.length / 2);
  const log = starts.slice(exact);
  const packed = Array.from(
    { length: startWords },
    (_, i) => (log[2 * i] ?? 0) + 65536 * (log[2 * i + 1] ?? 0),
  );
  const threads = sizeOf(result.shape);
  const sizes = {
    heads: dim(bias, 0),
    farthest: farthestOf(bias),
    exact,
    log_buckets: log.length,
    forward,
    threads,
  };
  const params = { ...Object.fromEntries(packed.map((word, i) => [`starts${i}`, word])), ...sizes };
  return [{ shader: 'relative-position-bias', entry, params, bind, grid: gridOf(threads, 64) }];
}

/** table [buckets, H]; bias [H, 2·farthest + 1], whose column farthest + d is table[bucket of distance d]. */
export const relativePositionBiasOp = defineOp({
  name: biasName,
  inputs: ['table'],
  outputs: ['bias'],
  attrs: attrsOf<RelativePositionAttrs>({ maxDistance: 'number', bidirectional: 'boolean' }),
  shape({ table }, attrs) {
    expectType(biasName, 'table', table, 'f32');
    check(table.shape.length === 2, () => msg`table must be [buckets, heads], it is ${show(table.shape)}`, {
      area: biasName,
    });
    const farthest = relativeBuckets(dim(table, 0), attrs).starts.at(-1) ?? 0;
    return { bias: tensorType('f32', [dim(table, 1), 2 * farthest + 1]) };
  },
  launch: ({ table }, { bias }, attrs) =>
    biasLaunch(biasName, relativeBuckets(dim(table, 0), attrs), bias, bias, { table, bias }),
});

/**
 * The bias of T5's self-attention by distance, from its table [buckets, H]
 * (`relative_attention_bias.weight`): [H, 2·farthest + 1], where farthest is the first distance of the last
 * bucket. Computed once and given to every layer of a stack, as `bias` of `selfAttention` or
 * `cachedSelfAttention`; the gradients of the layers add up in the table. Throws a HeddleError for fewer than
 * 2 buckets a direction, more than 128, or a maximum distance that leaves no logarithmic bucket.
 *
 * @example
 * const table = graph.input('table', 'f32', [32, 4]);
 * const bias = relativePositionBias(graph, table, { maxDistance: 128, bidirectional: true });
 * console.log(bias.shape); // [4, 183]: the last bucket begins at 91
 */
export const relativePositionBias = (g: Builder, table: Value, attrs: RelativePositionAttrs): Value =>
  applyOp(g, relativePositionBiasOp, { table }, attrs).bias;
