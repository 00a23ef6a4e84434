// Length buckets: the few shapes that batches are padded to. Shapes are static in a plan, so each costs one plan, and all positions
// between a row's length and its bucket's are computed for nothing.
import { check } from '../../core/errors.ts';
import { type EncodedCorpus, sourceLength, targetLength } from './encoded-corpus.ts';

/** The positions of a bucket's rows; a pair fits if neither side is longer. */
export interface Bucket {
  readonly source: number;
  readonly target: number;
}

/** The shape of a batch: so many rows of a bucket. */
export interface BatchShape extends Bucket {
  readonly batch: number;
}

/** How many sizes a side is searched at; steps grow with the lengths so that there are no more. */
const gridSteps = 32;

/**
 * At most `count` buckets, each at least as large as the one before, the last as large as the longest rows, whose padded positions
 * (source and target together, over the corpus) are fewest. Edges are multiples of `multiple` (4 unless given) or of a larger
 * multiple of it where rows are long, but never beyond the corpus's limits, which are as many positions as the model has.
 */
export function chooseBuckets(corpus: EncodedCorpus, { count = 4, multiple = 4 } = {}): Bucket[] {
  check(corpus.count > 0, 'buckets: the corpus has no pairs');
  check(count >= 1 && multiple >= 1, `buckets: ${count} buckets in steps of ${multiple}; both must be at least 1`);
  let [longestS, longestT] = [0, 0];
  for (let i = 0; i < corpus.count; i++) {
    longestS = Math.max(longestS, sourceLength(corpus, i));
    longestT = Math.max(longestT, targetLength(corpus, i));
  }
  const step = multiple * Math.ceil(Math.max(longestS, longestT) / (gridSteps * multiple));
  const [m, n] = [Math.ceil(longestS / step), Math.ceil(longestT / step)];
  const fits = countFits(corpus, step, m, n);

  // best[k][box]: fewest padded positions of all rows that fit the box, with k + 1 buckets, the last of which is the box.
  const boxes = m * n;
  const { limits } = corpus;
  const bucketOf = (box: number): Bucket => ({
    source: Math.min(limits.source, (Math.floor(box / n) + 1) * step),
    target: Math.min(limits.target, ((box % n) + 1) * step),
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
    // A box without a link costs the same with fewer buckets: its own link may be further down.
    while (k > 0 && from[k]?.[box] === -1) k--;
    buckets.unshift(bucketOf(box));
    box = from[k]?.[box] ?? -1;
  }
  return buckets;
}

/** A function from a box of the grid (row-major, m by n steps) to the number of rows that fit in it. */
function countFits(corpus: EncodedCorpus, step: number, m: number, n: number): (box: number) => number {
  const sums = new Float64Array(m * n);
  for (let i = 0; i < corpus.count; i++) {
    const s = Math.max(1, Math.ceil(sourceLength(corpus, i) / step)) - 1;
    const t = Math.ceil(targetLength(corpus, i) / step) - 1;
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
 * Batch shapes of buckets: `rows` of them in each batch, or as many as keep the longer side's positions, padding included, within
 * `tokens` (in eights where there are eight or more). Throws a HeddleError where not even one row fits the budget.
 */
export function batchShapes(buckets: readonly Bucket[], size: { rows: number } | { tokens: number }): BatchShape[] {
  return buckets.map((bucket) => {
    const longer = Math.max(bucket.source, bucket.target);
    const fit = 'rows' in size ? size.rows : Math.floor(size.tokens / longer);
    check(
      Number.isInteger(fit) && fit >= 1,
      'rows' in size
        ? `batches: ${size.rows} rows, must be a whole number of at least 1`
        : `batches: a budget of ${size.tokens} tokens has no room for one row of ${longer}; give at least that`,
    );
    return { ...bucket, batch: 'rows' in size || fit < 8 ? fit : fit - (fit % 8) };
  });
}
