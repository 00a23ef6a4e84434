// Length buckets: the few shapes that batches are padded to. Each shape needs a compiled plan; padding costs
// compute.

import { check } from '../../core/errors.ts';
import { msg, option } from '../../core/message.ts';
import { type EncodedCorpus, type SourceRows, sourceLength, targetLength } from './encoded-corpus.ts';

/** Positions of the rows of a bucket; a pair fits if neither side is longer. */
export interface Bucket {
  readonly source: number;
  readonly target: number;
}

/** Shape of a batch: a bucket and its number of rows. */
export interface BatchShape extends Bucket {
  readonly batch: number;
}

/** Formats a shape: rows, source and target positions, as `64x16x20`. */
export const shapeName = ({ batch, source, target }: BatchShape): string => `${batch}x${source}x${target}`;

/** Maximum number of grid steps per side; the grid is coarser for long rows. */
const gridSteps = 32;

/**
 * Chooses at most `count` buckets in increasing order that minimize the padded positions of the corpus
 * (dynamic programming over a grid). The last one fits the longest rows. Sizes are multiples of `multiple`
 * (default 4), or of a larger multiple of it for long rows, but at most the limits of the corpus. Throws a
 * HeddleError for an empty corpus.
 */
export function chooseBuckets(corpus: EncodedCorpus, { count = 4, multiple = 4 } = {}): Bucket[] {
  check(corpus.count > 0, 'the corpus has no pairs', { area: 'buckets' });
  check(count >= 1 && multiple >= 1, msg`${count} buckets in steps of ${multiple}; both must be at least 1`, {
    area: 'buckets',
  });
  let [maxS, maxT] = [0, 0];
  for (let i = 0; i < corpus.count; i++) {
    maxS = Math.max(maxS, sourceLength(corpus, i));
    maxT = Math.max(maxT, targetLength(corpus, i));
  }
  const stepFor = (longest: number) => multiple * Math.ceil(longest / (gridSteps * multiple));
  // Sources that are not token ids may have a scale of their own.
  const [stepS, stepT] = (
    corpus.sourceRows ? [maxS, maxT] : [Math.max(maxS, maxT), Math.max(maxS, maxT)]
  ).map(stepFor) as [number, number];
  const [m, n] = [Math.ceil(maxS / stepS), Math.ceil(maxT / stepT)];
  const fits = countFits(corpus, [stepS, stepT], m, n);

  // best[k][box]: minimum of padded positions of all rows that fit the box, with k + 1 buckets, the last of
  // which is the box.
  const boxes = m * n;
  const { limits } = corpus;
  const bucketOf = (box: number): Bucket => ({
    source: Math.min(limits.source, (Math.floor(box / n) + 1) * stepS),
    target: Math.min(limits.target, ((box % n) + 1) * stepT),
  });
  const sizes = Float64Array.from({ length: boxes }, (_, box) => bucketOf(box).source + bucketOf(box).target);
  const sizeOf = (box: number) => sizes[box] as number;
  const best: Float64Array[] = [Float64Array.from({ length: boxes }, (_, box) => fits(box) * sizeOf(box))];
  const from: Int32Array[] = [new Int32Array(boxes).fill(-1)];
  for (let k = 1; k < count; k++) {
    const before = best[k - 1] as Float64Array;
    const cost = before.slice();
    const link = new Int32Array(boxes).fill(-1);
    for (let box = 0; box < boxes; box++) {
      const [s, t] = [Math.floor(box / n), box % n];
      for (let i = 0; i <= s; i++)
        for (let j = 0; j <= t; j++) {
          const smaller = i * n + j;
          if (smaller === box) continue;
          const c = (before[smaller] as number) + (fits(box) - fits(smaller)) * sizeOf(box);
          if (c < (cost[box] as number)) {
            cost[box] = c;
            link[box] = smaller;
          }
        }
    }
    best.push(cost);
    from.push(link);
  }

  const buckets: Bucket[] = [];
  let box = boxes - 1;
  for (let k = count - 1; box >= 0; k--) {
    // A box without a link costs the same with fewer buckets: follow its link there.
    while (k > 0 && from[k]?.[box] === -1) k--;
    buckets.unshift(bucketOf(box));
    box = from[k]?.[box] ?? -1;
  }
  return buckets;
}

/**
 * Returns a function from a box of the grid (row-major, m by n steps) to the number of rows that fit in it
 * (2D prefix sums).
 */
function countFits(
  corpus: EncodedCorpus,
  [stepS, stepT]: readonly [number, number],
  m: number,
  n: number,
): (box: number) => number {
  const sums = new Float64Array(m * n);
  for (let i = 0; i < corpus.count; i++) {
    const s = Math.max(1, Math.ceil(sourceLength(corpus, i) / stepS)) - 1;
    const t = Math.ceil(targetLength(corpus, i) / stepT) - 1;
    sums[s * n + t] = (sums[s * n + t] as number) + 1;
  }
  for (let s = 0; s < m; s++)
    for (let t = 0; t < n; t++) {
      const above = s > 0 ? (sums[(s - 1) * n + t] as number) : 0;
      const left = t > 0 ? (sums[s * n + t - 1] as number) : 0;
      const both = s > 0 && t > 0 ? (sums[(s - 1) * n + t - 1] as number) : 0;
      sums[s * n + t] = (sums[s * n + t] as number) + above + left - both;
    }
  return (box) => sums[box] as number;
}

/**
 * Batch shapes of buckets: `rows` rows each, or as many as fit in `tokens` positions of the longer side,
 * padding included, rounded down to a multiple of 8 above 8. `sourceRows`: the sources, if they are not token ids.
 * Throws a HeddleError if not even one row fits.
 */
export const batchShapes = (
  buckets: readonly Bucket[],
  size: { rows: number } | { tokens: number },
  sourceRows?: Pick<SourceRows, 'positionsOf'>,
): BatchShape[] =>
  buckets.map((bucket) => {
    const longer = Math.max(sourceRows?.positionsOf(bucket.source) ?? bucket.source, bucket.target);
    const fit = 'rows' in size ? size.rows : Math.floor(size.tokens / longer);
    check(
      Number.isInteger(fit) && fit >= 1,
      'rows' in size
        ? msg`${size.rows} rows, must be a whole number of at least 1`
        : msg`a budget of ${size.tokens} tokens has no room for one row of ${longer}; give ${option('maxTokens')} of at least that, or lower ${option('maxLength')}`,
      { area: 'batches' },
    );
    return { ...bucket, batch: 'rows' in size || fit < 8 ? fit : fit - (fit % 8) };
  });
