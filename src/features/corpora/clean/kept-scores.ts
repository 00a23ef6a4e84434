// Which pairs a filter by the scores of a model keeps.

import { check } from '../../../core/errors.ts';
import { msg, option } from '../../../core/message.ts';

/** Limits of the filter. */
export interface ScoreLimits {
  /** Share of the pairs that are kept, those with the smallest values: above 0, at most 1. [1] */
  readonly keep?: number;
  /** Greatest value of a pair that is kept. [no limit] */
  readonly maxEntropy?: number;
}

/**
 * Whether each pair is kept. `values`: cross-entropy of each pair in nats per target token, or its dual conditional
 * cross-entropy; undefined if it cannot be scored, such a pair is dropped. Throws a HeddleError that names a limit.
 */
export function keptScores(
  values: readonly (number | undefined)[],
  { keep = 1, maxEntropy = Number.POSITIVE_INFINITY }: ScoreLimits,
): boolean[] {
  check(keep > 0 && keep <= 1, msg`${option('keep')} is ${keep}; it must be above 0 and at most 1`);
  check(!Number.isNaN(maxEntropy), msg`${option('maxEntropy')} must be a number`);
  const byValue = values
    .flatMap((value, i) => (value !== undefined && value <= maxEntropy ? [{ i, value }] : []))
    .sort((a, b) => a.value - b.value || a.i - b.i);
  const chosen = new Set(byValue.slice(0, Math.round(keep * values.length)).map(({ i }) => i));
  return values.map((_, i) => chosen.has(i));
}
