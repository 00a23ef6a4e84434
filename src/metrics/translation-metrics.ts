// The metrics of translations together: BLEU, chrF2 and exact match, as training and evaluation report them.

import { check, HeddleError } from '../core/errors.ts';
import { corpusBleu } from './bleu.ts';
import { corpusChrf } from './chrf.ts';

/** How good translations are; plain JSON. */
export interface TranslationMetrics {
  readonly sentences: number;
  /** From 0 to 100. */
  readonly bleu: number;
  readonly chrf: number;
  /** From 0 to 1. */
  readonly exactMatch: number;
  /** Settings of `bleu` and `chrf`, to be given along with them. */
  readonly bleuSignature: string;
  readonly chrfSignature: string;
}

/**
 * Metrics of translations against one reference each, or several. `normal` is the tokenizer's normal form. Where it drops case, BLEU and chrF
 * drop it too, and their signatures say so; beyond that they judge against the references as they stand.
 */
export function translationMetrics(
  translations: readonly string[],
  references: readonly (string | readonly string[])[],
  normal: (text: string) => string,
): TranslationMetrics {
  const lists = references.map((reference) => [reference].flat());
  const lowercase = dropsCase(normal);
  const bleu = corpusBleu(translations, lists, { lowercase });
  const chrf = corpusChrf(translations, lists, { lowercase });
  return {
    sentences: translations.length,
    bleu: bleu.score,
    chrf: chrf.score,
    exactMatch: exactMatch(translations, references, normal),
    bleuSignature: bleu.signature,
    chrfSignature: chrf.signature,
  };
}

/** Whether a normal form is in lower case. That of a model without a tokenizer takes ids alone, and throws; an alphabet may know no A. */
function dropsCase(normal: (text: string) => string): boolean {
  try {
    return normal('A') === 'a';
  } catch (error) {
    if (error instanceof HeddleError) return false;
    throw error;
  }
}

/**
 * Share, from 0 to 1, of translations that equal one of their references. `normal` is the form that a tokenizer can write (it may drop
 * case); references are taken in that form, the translation has it already. Throws a HeddleError where there is not a list of them for each.
 */
export function exactMatch(
  translations: readonly string[],
  references: readonly (string | readonly string[])[],
  normal: (text: string) => string = (text) => text,
): number {
  check(translations.length > 0, 'exact match: there are no translations');
  check(
    translations.length === references.length,
    `exact match: ${translations.length} translations, ${references.length} references; give one for each, or a list`,
  );
  const hits = translations.filter((text, i) =>
    [references[i] ?? []].flat().some((reference) => text === normal(reference)),
  );
  return hits.length / translations.length;
}

/** Sums over target tokens, ends included and padding not. */
export interface TokenSums {
  /** Of the cross-entropies, in nats, without label smoothing. */
  readonly loss: number;
  readonly tokens: number;
  /** Tokens that were the most probable ones. */
  readonly hits: number;
}

/** What comes of the sums; all NaN where there is no token. */
export interface TokenMetrics {
  /** Mean cross-entropy of a target token, in nats. */
  readonly loss: number;
  /** exp(loss): among how many equally likely tokens the model would be as unsure. */
  readonly perplexity: number;
  /** Share of target tokens, from 0 to 1, that the model would have guessed. */
  readonly tokenAccuracy: number;
}

/** Sums of several batches. */
export const addSums = (parts: Iterable<TokenSums>): TokenSums => {
  const sums = { loss: 0, tokens: 0, hits: 0 };
  for (const part of parts) {
    sums.loss += part.loss;
    sums.tokens += part.tokens;
    sums.hits += part.hits;
  }
  return sums;
};

/** Loss, perplexity and accuracy of sums. */
export function tokenMetrics({ loss, tokens, hits }: TokenSums): TokenMetrics {
  const mean = loss / tokens;
  return { loss: mean, perplexity: Math.exp(mean), tokenAccuracy: hits / tokens };
}
