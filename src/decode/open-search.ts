// The search of a decoding method.

import { BeamSearch } from './beam-search.ts';
import type { DecodeSettings } from './decode-options.ts';
import { createRowSearch, type Limits, type Search, unlimited } from './hypotheses.ts';

/** The limits of these sources; see the option `maxLengthFactor`. */
const limitsOf = (
  { maxLengthFactor }: Pick<DecodeSettings, 'maxLengthFactor'>,
  sources: readonly ArrayLike<number>[],
): Limits =>
  maxLengthFactor > 0
    ? (sentence) => Math.max(1, Math.ceil(maxLengthFactor * (sources[sentence]?.length ?? 0)))
    : unlimited;

/**
 * Creates the search of the decoding method for sources with their ends: beam search, or independent rows for
 * greedy decoding and sampling.
 */
export async function searchFor(
  s: DecodeSettings,
  sources: readonly ArrayLike<number>[],
  endId: number,
): Promise<Search> {
  const limits = limitsOf(s, sources);
  if (s.method !== 'beam') return createRowSearch(sources.length, endId, s, limits);
  return new BeamSearch(sources.length, s, limits);
}
