// The words of a translation that stand for a part of its source, by the cross-attention.

import type { Generation } from '../../../decode/text-options.ts';
import type { Tokenizer } from '../../../text/tokenizers/tokenizer.ts';
import { type Span, wordSpans } from '../inline/place-codes.ts';
import { alignWords } from '../project-codes.ts';

/** Smallest mean attention of a word to what it stands for. */
const minOwn = 0.2;

/** Smallest attention to a word of the article before its translation. */
const minArticle = 0.1;

/** A word of a translation. */
interface AlignedWord extends Span {
  /** Mean attention of its tokens to the part of the source. */
  readonly share: number;
  /** Index of its first token, and of the first behind it. */
  readonly first: number;
  readonly behind: number;
}

/** The words that stand for a part of the source. */
export interface OwnWords {
  /** Their place in the translation. */
  readonly span: Span;
  readonly words: readonly string[];
  /** Index of the token with which they begin. */
  readonly first: number;
  /** Index of the token behind them. */
  readonly behind: number;
  /** Index of the token with which the article before them begins; undefined: there is none. */
  readonly article?: number;
  /** Whether one of the words also stands for something else. */
  readonly isElsewhere: boolean;
}

/** The words of a translation with their attention to a part of its source. */
function alignedWords(text: string, made: Generation, tokenizer: Tokenizer, part: Span): AlignedWord[] {
  const { attention } = made;
  if (!attention) return [];
  const { source: from, target: to } = alignWords(text, made, tokenizer);
  const { layers, heads, weights } = attention;
  const [S, T] = [attention.source.length, attention.target.length];
  const inside = from.flatMap(({ start, end }, s) =>
    end > start && start < part.end && end > part.start ? [s] : [],
  );
  const shareOf = (t: number): number => {
    let sum = 0;
    for (let n = 0; n < layers * heads; n++)
      for (const s of inside) sum += weights[(n * T + t) * S + s] as number;
    return sum / (layers * heads);
  };
  return wordSpans(made.text).flatMap(({ start, end }) => {
    const tokens = to.flatMap((span, t) =>
      span.end > span.start && span.start < end && span.end > start ? [t] : [],
    );
    const [first, last] = [tokens[0], tokens.at(-1)];
    if (first === undefined || last === undefined) return [];
    const share = tokens.reduce((sum, t) => sum + shareOf(t), 0) / tokens.length;
    return [{ start, end, share, first, behind: last + 1 }];
  });
}

/**
 * The words of a translation with attention that stand for a part of its source, from token `from` on; undefined: there
 * are none.
 */
export function ownWordsOf(
  text: string,
  made: Generation,
  tokenizer: Tokenizer,
  part: Span,
  from = 0,
): OwnWords | undefined {
  const all = alignedWords(text, made, tokenizer, part);
  const best = all.reduce<number>(
    (i, word, k) => (word.first >= from && word.share > (all[i]?.share ?? 0) ? k : i),
    -1,
  );
  const word = all[best];
  if (!word || word.share < minOwn) return undefined;
  const isNext = (a: AlignedWord, b: AlignedWord) => made.text.slice(a.end, b.start) === ' ';
  let last = best;
  for (let next = all[last + 1]; next; next = all[last + 1]) {
    if (!isNext(all[last] as AlignedWord, next) || next.share < 0.6 * word.share) break;
    last++;
  }
  const before = all[best - 1];
  const hasArticle = before && before.first >= from && before.share >= minArticle && isNext(before, word);
  const own = all.slice(best, last + 1);
  const words = own.map(({ start, end }) => made.text.slice(start, end).toLowerCase());
  return {
    span: { start: word.start, end: own.at(-1)?.end ?? word.end },
    words,
    first: word.first,
    behind: own.at(-1)?.behind ?? word.behind,
    article: hasArticle ? before.first : undefined,
    isElsewhere: all.some(
      ({ start, end, share }) => share < minOwn && words.includes(made.text.slice(start, end).toLowerCase()),
    ),
  };
}
