// The tokens of parts of a text: of a phrase inside of a sentence, and of the begin of a text.

import type { Tokenizer } from './tokenizer.ts';

/** Ids of a text without those that end every text of its tokenizer. */
export function openIds(tokenizer: Tokenizer, text: string): number[] {
  const { suffix = [] } = tokenizer;
  const ids = tokenizer.encode(text);
  const end = ids.length - suffix.length;
  return suffix.length > 0 && suffix.every((id, i) => ids[end + i] === id) ? ids.slice(0, end) : ids;
}

/** Ids of a text without those that begin and end every text of its tokenizer. */
export function innerIds(tokenizer: Tokenizer, text: string): number[] {
  const ids = openIds(tokenizer, text);
  return tokenizer.begin !== undefined && ids[0] === tokenizer.begin ? ids.slice(1) : ids;
}

/** The token of a text that is one token, such as a placeholder or a mark; undefined if it has none of its own. */
export function ownToken(tokenizer: Tokenizer, text: string): number | undefined {
  const ids = innerIds(tokenizer, text).filter((id) => tokenizer.decode([id]).trim() !== '');
  const [id] = ids;
  const isOwn = ids.length === 1 && id !== undefined && tokenizer.decode([id]).trim() === text;
  return isOwn ? id : undefined;
}

/**
 * Ids of a phrase inside of a sentence: in many vocabularies a word after a space has another token. The unknown token
 * stands for a phrase that the vocabulary does not have.
 */
export function phraseIds(tokenizer: Tokenizer, phrase: string): number[] {
  const known = (ids: readonly number[]) => ids.every((id) => id !== tokenizer.special.unknown);
  const whole = innerIds(tokenizer, phrase);
  for (const before of ['a', 'A', '.']) {
    const [prefix, both] = [innerIds(tokenizer, before), innerIds(tokenizer, `${before} ${phrase}`)];
    const rest = both.slice(prefix.length);
    const follows = prefix.every((id, i) => both[i] === id);
    // Only if the space is part of the first token, as in SentencePiece; characters have a space of their own.
    if (follows && known(rest) && rest.length <= whole.length) return rest;
  }
  return known(whole) ? whole : [tokenizer.special.unknown];
}

/** The end of a word whose script has spaces between words; the start of one. */
const wordEnd =
  /(?![\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}])[\p{L}\p{N}\p{M}]$/u;
const wordStart = /^[\p{L}\p{N}\p{M}]/u;

/** Whether a token continues the word at the end of the token before it: `s` after `cat`, but not `▁s`. */
export function continuesWord(tokenizer: Tokenizer, before: number, token: number): boolean {
  const first = tokenizer.decode([before]);
  const both = tokenizer.decode([before, token]);
  return both.startsWith(first) && wordEnd.test(first) && wordStart.test(both.slice(first.length));
}
