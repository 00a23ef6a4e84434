// Metrics that training and evaluation report: BLEU, chrF2 and exact match of translations; loss, perplexity
// and token accuracy.

import { check, HeddleError } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import { corpusBleu } from './bleu.ts';
import { corpusChrf } from './chrf.ts';

/** Metrics of translations; plain JSON. */
export interface TranslationMetrics {
  /** Number of sentences. */
  readonly sentences: number;
  /** From 0 to 100. */
  readonly bleu: number;
  /** chrF2, from 0 to 100. */
  readonly chrf: number;
  /** From 0 to 1. */
  readonly exactMatch: number;
  /** sacreBLEU signatures of the settings. */
  readonly bleuSignature: string;
  /** The same of chrF, as sacreBLEU prints it. */
  readonly chrfSignature: string;
}

/**
 * Metrics of translations against one or more references each. `normalize`: the function of the target
 * tokenizer. If it lowercases, BLEU and chrF ignore case, as their signatures state.
 */
export function translationMetrics(
  translations: readonly string[],
  references: readonly (string | readonly string[])[],
  normalize: (text: string) => string,
): TranslationMetrics {
  const lowercase = ignoresCase(normalize);
  const bleu = corpusBleu(translations, references, { lowercase });
  const chrf = corpusChrf(translations, references, { lowercase });
  return {
    sentences: translations.length,
    bleu: bleu.score,
    chrf: chrf.score,
    exactMatch: exactMatch(translations, references, normalize),
    bleuSignature: bleu.signature,
    chrfSignature: chrf.signature,
  };
}

/** Whether a tokenizer lowercases. False for the id tokenizer, which throws on text. */
export function ignoresCase(normalize: (text: string) => string): boolean {
  try {
    return normalize('A') === 'a';
  } catch (error) {
    if (error instanceof HeddleError) return false;
    throw error;
  }
}

/**
 * Fraction, from 0 to 1, of translations that equal one of their references, apart from spaces at the ends.
 * `normalize` is applied to the references; pass the target tokenizer's if it changes case or spaces. Throws
 * a HeddleError if the lists differ in length.
 *
 * @example
 * exactMatch(['a b', 'c'], ['a b', ['d', 'e']]); // 0.5
 */
export function exactMatch(
  translations: readonly string[],
  references: readonly (string | readonly string[])[],
  normalize: (text: string) => string = (text) => text,
): number {
  check(translations.length > 0, 'there are no translations', { area: 'exact match' });
  check(
    translations.length === references.length,
    msg`exact match: ${translations.length} translations, ${references.length} references; give one for each, or a list`,
  );
  const hits = translations.filter((text, i) =>
    [references[i] ?? []].flat().some((reference) => text.trim() === normalize(reference).trim()),
  );
  return hits.length / translations.length;
}

/** Sums over target tokens with teacher forcing: end tokens count, padding does not. */
export interface TokenSums {
  /** Sum of the cross-entropies in nats, without label smoothing. */
  readonly loss: number;
  readonly tokens: number;
  /** Number of target tokens that are the model's most probable token. */
  readonly hits: number;
  /** `tokens` and `hits` without unknown target tokens ([UNK]). */
  readonly knownTokens: number;
  readonly knownHits: number;
}

/** Metrics per target token; NaN if there are no tokens. */
export interface TokenMetrics {
  /** Mean cross-entropy in nats. */
  readonly loss: number;
  /** exp(loss). */
  readonly perplexity: number;
  /** Fraction, from 0 to 1, of target tokens that are the model's most probable token. */
  readonly tokenAccuracy: number;
  /** The same without unknown target tokens ([UNK]). */
  readonly knownTokenAccuracy: number;
}

/** Loss, perplexity and token accuracy from the sums of batches. */
export function tokenMetrics(batches: Iterable<TokenSums>): TokenMetrics {
  const sums = { loss: 0, tokens: 0, hits: 0, knownTokens: 0, knownHits: 0 };
  for (const batch of batches)
    for (const name of Object.keys(sums) as (keyof TokenSums)[]) sums[name] += batch[name];
  const loss = sums.loss / sums.tokens;
  return {
    loss,
    perplexity: Math.exp(loss),
    tokenAccuracy: sums.hits / sums.tokens,
    knownTokenAccuracy: sums.knownHits / sums.knownTokens,
  };
}
