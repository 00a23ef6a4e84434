// Texts that are translated sentence by sentence: their sentences, and the translations joined again.

import { check } from '../core/errors.ts';
import { msg, option } from '../core/message.ts';
import { splitSentences } from '../text/sentences.ts';
import type { Generation, LongText, TextOptions } from './text-options.ts';

/** Sentences of texts, and how their results become those of the texts. */
export interface SplitTexts {
  readonly sentences: readonly string[];
  /** Index of the text of each sentence. */
  readonly owners: readonly number[];
  /** Reports each text that has sentences that are too long once, with the longest of them. */
  onLong(long: readonly LongText[]): void;
  /** Joins the translations of the sentences; a text without sentences has none. */
  join(generations: readonly Generation[][]): Generation[][];
}

/**
 * Splits texts into sentences. Throws a HeddleError for options that joined translations do not have. `onLongText`: see
 * `GenerateOptions`.
 */
export function splitTexts(
  texts: readonly string[],
  {
    attention,
    alignment,
    onPiece,
    phrases,
    placeholders,
    prefix,
    numReturn = 1,
    onLongText = () => undefined,
  }: TextOptions,
): SplitTexts {
  check(
    !attention && !alignment && !onPiece && !phrases && !placeholders && !prefix && numReturn === 1,
    msg`splitSentences gives one translation per text; omit attention, alignment, onPiece, phrases, placeholders, prefix and ${option('numReturn')}`,
  );
  const parts = texts.map(splitSentences);
  const sentences = parts.flatMap((part) => part.sentences);
  const owners = parts.flatMap((part, i) => part.sentences.map(() => i));
  return {
    sentences,
    owners,
    onLong(long) {
      const longest = new Map<number, LongText>();
      for (const { index: sentence, ...length } of long) {
        const index = owners[sentence] as number;
        if (length.tokens > (longest.get(index)?.tokens ?? 0)) longest.set(index, { index, ...length });
      }
      for (const text of longest.values()) onLongText(text);
    },
    join(generations) {
      let at = 0;
      return parts.map(({ sentences: { length }, join }) => {
        const own = generations.slice(at, at + length);
        at += length;
        const best = own.flatMap(([first]) => (first ? [first] : []));
        if (best.length === 0) return [];
        const sum = (key: 'score' | 'logProb') => best.reduce((n, translation) => n + translation[key], 0);
        const text = join(own.map(([first]) => first?.text ?? ''));
        const ids = best.flatMap((translation) => translation.ids);
        const ended = best.every((translation) => translation.ended);
        return [{ text, ids, score: sum('score'), logProb: sum('logProb'), ended }];
      });
    },
  };
}
