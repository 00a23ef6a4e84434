// English words that the model has seen in training: to tell names, which are copied, from words, and English from
// what is not. scripts/general-model/make-words.mjs writes the list.

/** The words of a text, as letters with inner apostrophes. */
export const wordsIn = (text: string): string[] => text.match(/\p{L}+(?:['’]\p{L}+)*/gu) ?? [];

const contraction = /['’](?:s|m|re|ve|ll|d|t)$/i;

/** The words that the model knows. Words in lower case are known in any case; names only as they are written. */
export class KnownWords {
  readonly #words: ReadonlySet<string>;

  constructor(list: string) {
    this.#words = new Set(list.split(/\s+/).filter(Boolean));
  }

  /** Whether a word is known. */
  has(word: string): boolean {
    const plain = word.replace(contraction, '');
    return (
      this.hasName(word) || this.hasName(plain) || this.#words.has(plain.toLowerCase()) || plain.length === 0
    );
  }

  /** Whether a word is known in the case in which it is written. */
  hasName(word: string): boolean {
    return this.#words.has(word);
  }

  /** The part of the words of a text that is known; 1 for a text without words. */
  share(text: string): number {
    const words = wordsIn(text);
    return words.length === 0 ? 1 : words.filter((word) => this.has(word)).length / words.length;
  }
}
