// Confidence intervals and significance of metrics by paired bootstrap resampling (Koehn, 2004), with the numbers of
// sacreBLEU 2: 1,000 resamples of the sentences with NumPy's generator, seed 12345; the mean and half the width of
// the 95 % interval of the resampled scores; and the p-value of the difference to the first system.

import { check } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import { runSteps, type Steps } from '../../core/steps.ts';
import { type SentenceStatistics, sumsOf } from './ngrams.ts';
import { NumpyRandom } from './numpy-random.ts';

/** A score with its confidence interval: mean ± interval; and the p-value of systems after the first. */
export interface BootstrapScore {
  /** Score of all sentences. */
  readonly score: number;
  /** Mean score of the samples. */
  readonly mean: number;
  /** Half the width of the 95 % confidence interval. */
  readonly interval: number;
  /** Probability of a difference to the first system of at least this size by chance. */
  readonly p?: number;
  /** Of systems after the first: whether it has the counts of the first in each sentence. `p` says nothing then. */
  readonly isIdentical?: boolean;
}

/** The difference to the first system in words: `p = 0.0120`, `identical`; '' for the first. */
export const differenceText = ({ p, isIdentical }: BootstrapScore): string =>
  isIdentical ? 'identical' : p === undefined ? '' : `p = ${p.toFixed(4)}`;

/** Options of resampling. */
export interface BootstrapOptions {
  /** Number of resamples. [1000] */
  readonly samples?: number;
  /** Seed of NumPy's default generator. [12345] */
  readonly seed?: number;
}

/**
 * Scores of one metric for several systems on the same sentences. Throws a HeddleError if their numbers of sentences
 * differ.
 */
export const pairedBootstrap = (...args: Parameters<typeof bootstrapSteps>): BootstrapScore[] =>
  runSteps(bootstrapSteps(...args));

/** `pairedBootstrap` in steps: it takes seconds for many sentences. */
export function* bootstrapSteps(
  systems: readonly SentenceStatistics[],
  { samples = 1000, seed = 12345 }: BootstrapOptions = {},
): Steps<BootstrapScore[]> {
  const [first] = systems;
  check(first !== undefined && first.rows.length > 0, 'there are no sentences', { area: 'bootstrap' });
  const count = first.rows.length;
  const other = systems.find(({ rows }) => rows.length !== count);
  check(!other, () => msg`a system has ${other?.rows.length} sentences, the first has ${count}`, {
    area: 'bootstrap',
  });
  const indices = new NumpyRandom(seed).integers(count, count * samples);
  const baseline = yield* resampled(first, indices, samples);
  const real = scoreOf(first);
  const results: BootstrapScore[] = [];
  for (const [i, system] of systems.entries()) {
    const score = scoreOf(system);
    const scores = i === 0 ? baseline : yield* resampled(system, indices, samples);
    const result = { score, ...intervalOf(scores) };
    if (i === 0) {
      results.push(result);
      continue;
    }
    const differences = scores.map((value, k) => Math.abs(value - (baseline[k] as number)));
    const mean = meanOf(differences);
    const isIdentical = system.rows.every((row, k) => row.every((n, i) => n === first.rows[k]?.[i]));
    const larger = differences.filter((value) => value - mean > Math.abs(real - score)).length;
    results.push({ ...result, p: (larger + 1) / (samples + 1), ...(isIdentical ? { isIdentical } : {}) });
  }
  return results;
}

/** The score of a whole corpus. */
export const scoreOf = ({ rows, score }: SentenceStatistics): number => score(sumsOf(rows));

/** The score of each resample; `indices` are those of all resamples. */
function* resampled(
  { rows, score }: SentenceStatistics,
  indices: Uint32Array,
  samples: number,
): Steps<number[]> {
  const width = (rows[0] ?? []).length;
  const flat = Float64Array.from(rows.flat());
  const size = rows.length;
  const scores: number[] = [];
  for (let sample = 0; sample < samples; sample++) {
    const sums = new Float64Array(width);
    for (let i = sample * size; i < (sample + 1) * size; i++) {
      const row = (indices[i] as number) * width;
      for (let k = 0; k < width; k++) sums[k] = (sums[k] as number) + (flat[row + k] as number);
    }
    scores.push(score(Array.from(sums)));
    yield { task: 'resample', done: sample, total: samples };
  }
  return scores;
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

function intervalOf(scores: readonly number[]): { mean: number; interval: number } {
  const sorted = [...scores].sort((a, b) => a - b);
  const lower = Math.floor(sorted.length / 40);
  const upper = sorted.length - lower - 1;
  return { mean: meanOf(sorted), interval: 0.5 * ((sorted[upper] as number) - (sorted[lower] as number)) };
}
