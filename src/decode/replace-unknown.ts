// Replaces unknown words of a translation by the source words with the largest cross-attention (Jean et al.,
// 2015, "On Using Very Large Target Vocabulary for Neural Machine Translation"), as fairseq's --replace-unk
// does.

import { SPACE_MARK } from '../text/tokenizers/normalization.ts';
import type { Tokenizer } from '../text/tokenizers/tokenizer.ts';
import type { Attention } from './alignment.ts';

/** A run of tokens that is a word or a punctuation mark: from token `from` up to `to`. */
interface Word {
  readonly from: number;
  readonly to: number;
  readonly text: string;
  readonly isPunctuation: boolean;
}

const isSpaced = (token: string): boolean => token.startsWith(SPACE_MARK) || token.startsWith(' ');

/**
 * Groups tokens by words. A space or a punctuation mark starts a word; each token of a word tokenizer is a
 * word.
 */
function wordsOf(tokens: readonly string[], kind: Tokenizer['kind']): Word[] {
  const words: Word[] = [];
  for (const [i, token] of tokens.entries()) {
    const last = words.at(-1);
    const text = token.replaceAll(SPACE_MARK, '').trim();
    const isPunctuation = text !== '' && !/[\p{L}\p{N}\p{M}]/u.test(text);
    const continues = last && kind !== 'word' && !isSpaced(token) && !isPunctuation && !last.isPunctuation;
    if (continues) words[words.length - 1] = { ...last, to: i + 1, text: last.text + text };
    else words.push({ from: i, to: i + 1, text, isPunctuation });
  }
  return words;
}

/**
 * Decodes the translation `ids` of `text`, and replaces each word that has an unknown token by the source
 * word with the largest cross-attention, averaged over layers and heads.
 */
export function replaceUnknown(
  source: Tokenizer,
  target: Tokenizer,
  text: string,
  ids: readonly number[],
  { layers, heads, source: sourceIds, target: predicted, weights }: Attention<number>,
): string {
  const { unknown } = target.special;
  const pieces = source.pieces?.(text) ?? sourceIds.map((id) => source.token(id));
  const sources = wordsOf(pieces.slice(0, sourceIds.length - 1), source.kind).filter(
    (word) => word.text !== '',
  );
  const attention = ({ from, to }: Word, t: number): number => {
    let sum = 0;
    for (let n = 0; n < layers * heads; n++)
      for (let s = from; s < to; s++)
        sum += weights[(n * predicted.length + t) * sourceIds.length + s] as number;
    return sum / (to - from);
  };
  let out = '';
  const append = (added: string, spaced: boolean) => {
    out += spaced && out !== '' ? ` ${added}` : added;
  };
  let known: number[] = [];
  const flush = () => {
    // Characters decode with their spaces, other tokens without the first one.
    const spaced = target.kind !== 'char' && isSpaced(target.token(known[0] ?? unknown));
    if (known.length > 0) append(target.decode(known), spaced);
    known = [];
  };
  const tokens = ids.map((id) => (id === unknown ? 'x' : target.token(id)));
  for (const { from, to } of wordsOf(tokens, target.kind)) {
    const at = ids.indexOf(unknown, from);
    if (at < 0 || at >= to) {
      known.push(...ids.slice(from, to));
      continue;
    }
    flush();
    const best = sources.reduce<Word | undefined>(
      (best, word) => (!best || attention(word, at) > attention(best, at) ? word : best),
      undefined,
    );
    append(
      best?.text ?? target.decode([unknown]),
      target.kind === 'word' || isSpaced(tokens[from] as string),
    );
  }
  flush();
  return out;
}
