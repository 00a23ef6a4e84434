// Which language a text is in, by the character n-grams of 60 languages (the package eld).

import { eld } from 'eld/extrasmall';

/** A guess of the language of a text. */
export interface DetectedLanguage {
  /** ISO 639-1 code. */
  readonly language: string;
  /** Similarity of the text to the language, 0 to 1. */
  readonly score: number;
}

/** The guesses for a text, best first, and whether the first is sure: a word or a name is in many languages. */
export interface LanguageGuesses {
  readonly guesses: readonly DetectedLanguage[];
  readonly isSure: boolean;
}

/** Number of characters that are looked at. */
const maxCharacters = 4000;

/**
 * Guesses the language of a text; there are no guesses for one without words.
 * @example
 * detectLanguage('Ceci est un texte français.').guesses[0]?.language; // 'fr'
 */
export function detectLanguage(text: string): LanguageGuesses {
  const found = eld.detect(text.slice(0, maxCharacters));
  const guesses = Object.entries(found.getScores())
    .map(([language, score]) => ({ language, score }))
    .sort((a, b) => b.score - a.score);
  return { guesses, isSure: found.isReliable() };
}

/** ISO 639-1 code of a language tag or of a code of a model: `es` of `es-MX`, `spa_Latn` and `es_XX`. */
export function languageOf(tag: string): string {
  const [base = ''] = tag.toLowerCase().split(/[-_]/);
  try {
    return new Intl.Locale(base).language;
  } catch {
    return base;
  }
}
