// The metrics of translations together: BLEU, chrF2 and exact match, as training and evaluation report them.

import { HeddleError } from '../core/errors.ts';
import { corpusBleu } from './bleu.ts';
import { corpusChrf } from './chrf.ts';
import { exactMatch } from './exact-match.ts';

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
