// Which language a text is in, by the character n-grams of 60 languages (the package eld).

import { eld } from 'eld/extrasmall';
import type { LanguageGuesses } from './language-guesses.ts';

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
