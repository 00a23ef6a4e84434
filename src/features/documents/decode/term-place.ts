// The place of a term in a translation: behind the first tokens of a draft and, if these end before an article, behind as
// many words as the draft has there. What follows is free.

/** Whether a token continues the word of the token before it. */
export type JoinsWord = (before: number, token: number) => boolean;

/** Where a term is placed. */
export interface TermPlacement {
  /** The tokens before it. */
  readonly prefix: readonly number[];
  /** Number of words between them and the term, which the search chooses. */
  readonly words: number;
  /** The tokens of the term. */
  readonly term: readonly number[];
  /** Whether the translation ends behind it. Default: it does not. */
  readonly isLast?: boolean;
  /** Whether tokens are a form of the term, as its plural. Default: it has no other forms. */
  isForm?(ids: readonly number[]): boolean;
}

/** Largest difference of log-probability of a word before the term to the best one: a rare word does not come in there. */
export const maxBehind = 3;

/** The rules of a term that is placed. */
export class TermPlace {
  readonly #place: TermPlacement;
  readonly #joins: JoinsWord;

  constructor(place: TermPlacement, joins: JoinsWord) {
    this.#place = place;
    this.#joins = joins;
  }

  /** Number of tokens of the term that a hypothesis has. */
  tokensIn(ids: readonly number[]): number {
    const { prefix, term } = this.#place;
    const start = this.startIn(ids);
    return start === undefined
      ? 0
      : Math.max(0, Math.min(term.length, ids.length - Math.max(start, prefix.length)));
  }

  /** Whether a hypothesis has the term. */
  isMetIn(ids: readonly number[]): boolean {
    return this.tokensIn(ids) === this.#place.term.length;
  }

  /** The token that the prefix or the term wants next. */
  wanted(ids: readonly number[]): number | undefined {
    const { prefix, term } = this.#place;
    if (ids.length < prefix.length) return prefix[ids.length];
    const start = this.startIn(ids) ?? (this.#wordsIn(ids) === this.#place.words ? ids.length : undefined);
    return start === undefined ? undefined : term[ids.length - start];
  }

  /** Whether a token may follow some tokens. */
  allows(ids: readonly number[], token: number): boolean {
    const { prefix, words } = this.#place;
    const wanted = this.wanted(ids);
    if (ids.length < prefix.length) return token === wanted;
    const before = ids.at(-1);
    const joins = before !== undefined && this.#joins(before, token);
    const start = this.startIn(ids);
    if (start === undefined) {
      if (token === wanted) return true;
      // The word before the term is not the rest of the last word of the prefix.
      if (joins && ids.length === prefix.length) return false;
      const isLast = this.#wordsIn(ids) === words;
      // The last word before the term may have more tokens; no word begins there.
      return isLast ? words > 0 && joins : true;
    }
    if (wanted !== undefined) return token === wanted;
    if (this.#place.isLast) return false;
    // The term is not the part of a longer word, except of a form of its own.
    return (
      !joins || this.endIn(ids) < ids.length || this.#place.isForm?.([...ids.slice(start), token]) === true
    );
  }

  /** Where the word ends with which the term ends in a hypothesis that has it: the index of the next token. */
  endIn(ids: readonly number[]): number {
    let end = (this.startIn(ids) ?? ids.length) + this.#place.term.length;
    while (end < ids.length && this.#joins(ids[end - 1] as number, ids[end] as number)) end++;
    return Math.min(end, ids.length);
  }

  /** Whether the next token is one of the words before the term. */
  isBefore(ids: readonly number[]): boolean {
    return ids.length >= this.#place.prefix.length && this.startIn(ids) === undefined;
  }

  /** Where the term begins in a hypothesis; undefined: it has not begun. */
  startIn(ids: readonly number[]): number | undefined {
    const { prefix, words, term } = this.#place;
    if (words === 0) return ids.length > prefix.length ? prefix.length : undefined;
    let count = 0;
    for (let i = prefix.length; i < ids.length; i++) {
      const begins = i === prefix.length || !this.#joins(ids[i - 1] as number, ids[i] as number);
      if (begins && count === words) return ids[i] === term[0] ? i : undefined;
      if (begins) count++;
    }
    return undefined;
  }

  /** Number of words behind the prefix. */
  #wordsIn(ids: readonly number[]): number {
    const { prefix } = this.#place;
    let count = 0;
    for (let i = prefix.length; i < ids.length; i++)
      if (i === prefix.length || !this.#joins(ids[i - 1] as number, ids[i] as number)) count++;
    return count;
  }
}
