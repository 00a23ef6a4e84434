// A model for drawn segments, which translates words into made-up ones of a language and does to codes, punctuation and
// order whatever models do.

import type { SentenceModel } from '../../../../src/features/documents/translate-segments.ts';
import { createTokenizer, specialTokens } from '../../../../src/text/tokenizers/tokenizer.ts';
import type { Dice } from './drawn-segments.ts';

/** Languages by name: how a word is made, and what is between words. */
export const languages = {
  es: { alphabet: 'aábcdeéfghiíjlmnñoóprstuúvz', between: ' ' },
  ar: { alphabet: 'ابتثجحدرسشصطعفقكلمنهوي', between: ' ' },
  ja: { alphabet: 'あかさたなはまやらわカタナ日本語画面名前', between: '' },
  de: { alphabet: 'aäbcdefghiklmnoöprstuüßwz', between: ' ' },
} as const;

/** A language of the drawn models. */
export type DrawnLanguage = keyof typeof languages;

/** What a model does, drawn for each model. */
interface Habits {
  readonly order: 'same' | 'reversed' | 'shuffled' | 'verb last';
  readonly codes: 'kept' | 'lost' | 'glued' | 'spaced' | 'doubled' | 'changed';
  readonly marks: 'kept' | 'lost' | 'apart' | 'doubled' | 'with percent';
  readonly attention: 'right' | 'wrong' | 'none';
  /** Most words of a text. */
  readonly limit: number;
  /** Whether some texts have no translation, and some only a mark. */
  readonly isEmpty: boolean;
}

const drawHabits = (dice: Dice): Habits => ({
  order: dice.of(['same', 'same', 'reversed', 'shuffled', 'verb last']),
  codes: dice.of(['kept', 'kept', 'lost', 'glued', 'spaced', 'doubled', 'changed']),
  marks: dice.of(['kept', 'kept', 'lost', 'apart', 'doubled', 'with percent']),
  attention: dice.of(['right', 'right', 'wrong', 'none']),
  limit: dice.of([3, 8, 100, 100, 100]),
  isEmpty: dice.chance(0.1),
});

/** Makes a model from a seed. Its vocabulary has placeholders with `hasPlaceholders`. */
export function drawModel(dice: Dice, language: DrawnLanguage): SentenceModel {
  const habits = drawHabits(dice);
  const { alphabet, between } = languages[language];
  const placeholders = dice.chance(0.3)
    ? [0xe000, 0xe800, 0xf000].flatMap((first) =>
        Array.from({ length: 64 }, (_, i) => String.fromCharCode(first + i)),
      )
    : [];
  const tokenizer = createTokenizer({
    kind: 'char',
    lowercase: false,
    vocab: [...specialTokens, ...placeholders, ...'abcdefghijklmnopqrstuvwxyz .'],
    merges: [],
  });
  const dictionary = new Map<string, string>();
  const wordFor = (word: string): string => {
    const known = dictionary.get(word.toLowerCase());
    if (known !== undefined) return known;
    const made = Array.from({ length: 1 + dice.below(7) }, () => dice.of(Array.from(alphabet))).join('');
    dictionary.set(word.toLowerCase(), made);
    return made;
  };
  const codeFor = (code: string): string =>
    ({
      kept: code,
      lost: '',
      glued: code,
      spaced: ` ${code} `,
      doubled: `${code}${code}`,
      changed: code.replace(/[a-z]/g, (c) => c.toUpperCase()),
    })[habits.codes];
  const markFor = (mark: string): string =>
    ({ kept: mark, lost: '', apart: ` ${mark} `, doubled: `${mark}${mark}`, 'with percent': `${mark} %, ` })[
      habits.marks
    ];
  /** A piece between spaces, translated: its words, and what is no word. */
  const pieceFor = (piece: string): string =>
    piece.replace(/(\p{L}[\p{L}\p{M}'’]*)|([^\p{L}]+)/gu, (_, word?: string, other = '') =>
      word !== undefined
        ? wordFor(word)
        : /[%<{&$\ue000-\uf7ff]/.test(other)
          ? codeFor(other)
          : markFor(other),
    );
  const ordered = (list: readonly number[]): number[] => {
    if (habits.order === 'reversed') return [...list].reverse();
    if (habits.order === 'shuffled') return dice.shuffled(list);
    if (habits.order === 'verb last' && list.length > 2)
      return [list[0] as number, ...list.slice(2), list[1] as number];
    return [...list];
  };
  return {
    tokenizers: {
      source: { ...tokenizer, encode: tokenizer.encode, pieces: (text) => text.split(' ') },
      target: tokenizer,
    },
    async generate(texts) {
      return texts.map((source) => {
        const from = source.split(' ');
        if (from.length > habits.limit) return [];
        if (habits.isEmpty && dice.chance(0.1))
          return dice.chance(0.5) ? [] : [made(dice.of(['', '.', ' ']), [], [])];
        const order = ordered(from.map((_, i) => i));
        const to = order.map((i) => pieceFor(from[i] as string));
        const glue = habits.codes === 'glued' ? '' : between;
        const text = to.reduce(
          (out, word) => out + (out === '' || /[%}>]/.test(word) ? glue : between) + word,
          '',
        );
        return [made(text, [...from, ''], [...to, ''], order)];
      });
    },
  };

  function made(text: string, from: readonly string[], to: readonly string[], order: readonly number[] = []) {
    const weights = new Float32Array(from.length * to.length);
    for (const [t] of to.entries()) {
      const s = habits.attention === 'right' ? order[t] : dice.below(from.length);
      if (s !== undefined && from.length > 0) weights[t * from.length + s] = 1;
    }
    const attention =
      habits.attention === 'none'
        ? undefined
        : { source: [...from], target: [...to], layers: 1, heads: 1, weights };
    return { text, ids: to.map(() => 5), score: -1, logProb: -1, ended: true, attention };
  }
}
