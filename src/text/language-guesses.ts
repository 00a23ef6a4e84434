// Guesses of the language of a text, and codes of languages. language-detection.ts makes the guesses.

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

/** ISO 639-1 code of a language tag or of a code of a model: `es` of `es-MX`, `spa_Latn` and `es_XX`. */
export function languageOf(tag: string): string {
  const [base = ''] = tag.toLowerCase().split(/[-_]/);
  try {
    return new Intl.Locale(base).language;
  } catch {
    return base;
  }
}
