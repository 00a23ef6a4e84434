// Cleans a list of pairs: the rules and the search for duplicates of `heddle clean`, in one thread.

import type { Pair } from '../../../text/corpus/pairs.ts';
import type { LanguageGuesses } from '../../../text/language-guesses.ts';
import {
  brokenRule,
  type CleanLanguages,
  type CleanLimits,
  defaultLimits,
  type RuleName,
} from './clean-rules.ts';
import { DuplicateFilter, pairKeys } from './duplicate-filter.ts';

/** Options of `cleanPairs`. */
export interface CleanPairsOptions {
  /** Thresholds of the rules by name; 0 turns a rule off. [those of `heddle clean`] */
  readonly limits?: Partial<CleanLimits>;
  /** Languages of both sides, for the rules `script` and `language`. [not tested] */
  readonly languages?: CleanLanguages;
  /**
   * Guesses the language of a text, for the rule `language`: scores from 0 to 1 by ISO 639-1 code, best first, and whether
   * the first is sure. `heddle clean` takes those of the package eld. [the rule drops nothing]
   */
  readonly detect?: (text: string) => LanguageGuesses;
}

/** A pair that was dropped, and the first rule that it breaks. */
export interface DroppedPair extends Pair {
  /** Name of the rule. */
  readonly rule: RuleName;
}

/** Result of `cleanPairs`, each list in the order of the pairs. */
export interface CleanedPairs {
  /** The pairs that are kept, without spaces at the ends of their texts. */
  readonly kept: readonly Pair[];
  /** The pairs that are dropped, each with its rule. */
  readonly dropped: readonly DroppedPair[];
}

/**
 * Drops bad pairs and duplicates: empty, too long, of unlike lengths, in another script, copied, and so on, as
 * `heddle clean` does (docs/training.md).
 *
 * @example
 * const { kept, dropped } = cleanPairs(pairs, { languages: { source: 'en', target: 'es' } });
 * console.log(kept.length, dropped.map(({ rule }) => rule));
 */
export function cleanPairs(
  pairs: Iterable<Pair>,
  { limits: given, languages = {}, detect }: CleanPairsOptions = {},
): CleanedPairs {
  const limits = { ...defaultLimits, ...given };
  const filter = new DuplicateFilter(limits);
  const kept: Pair[] = [];
  const dropped: DroppedPair[] = [];
  for (const pair of pairs) {
    const texts = { source: pair.source.trim(), target: pair.target.trim() };
    const rule = brokenRule(texts, limits, { ...languages, detect }) ?? filter.add(pairKeys(texts, limits));
    if (rule === undefined) kept.push({ ...pair, ...texts });
    else dropped.push({ ...pair, rule });
  }
  return { kept, dropped };
}
