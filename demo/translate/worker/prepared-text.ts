// What is done to a sentence before the model reads it, and undone in its translation: the case of a text in capitals,
// placeholders for names, numbers and times, which the model copies (scripts/general-model/copies.mjs), and emoji, which
// it does not know.

import type { KnownWords } from './known-words.ts';

/** Placeholders by kind, in the order of their use; the tokenizer of the model has a token for each. */
export const copyPlaceholders = {
  name: ['\ue100', '\ue101', '\ue102'],
  number: ['\ue103', '\ue104', '\ue105'],
  time: ['\ue106', '\ue107'],
} as const;

const part =
  /(?<![\p{L}\p{N}])(?:(?<time>\d{1,2}:\d\d)|(?<number>\d[\d.,]*\d|\d)|(?<name>\p{Lu}\p{L}+(?:-\p{Lu}\p{L}+)*))(?![\p{L}\p{N}])/gu;

/** A sentence as the model reads it. */
export interface PreparedText {
  readonly text: string;
  /** What each placeholder stands for. */
  readonly copies: ReadonlyMap<string, string>;
  readonly isUpper: boolean;
  /** Emoji before and after the text, with their spaces. */
  readonly around: readonly [before: string, after: string];
}

const emoji =
  '(?:\\p{Extended_Pictographic}|\\p{Emoji_Modifier}|\\p{Regional_Indicator}|[\\u200d\\ufe0f\\u20e3])';
const emojiAround = new RegExp(`^((?:${emoji}|\\s)*)(.*?)((?:\\s|${emoji})*)$`, 'su');
const emojiInside = new RegExp(`\\s*${emoji}+`, 'gu');
const onlyEmoji = new RegExp(`^${emoji}+$`, 'u');

/** Whether a word is only emoji, which the model does not read. */
export const isEmoji = (word: string): boolean => onlyEmoji.test(word);

/** Whether a text has something to translate: a letter or a digit. */
export const hasWords = (text: string): boolean => /[\p{L}\p{N}]/u.test(text);

/** Whether a text is in capitals: two words or more, without a small letter. */
export const isInCapitals = (text: string): boolean =>
  !/\p{Ll}/u.test(text) &&
  (text.match(/\p{Lu}{2,}/gu) ?? []).length > 0 &&
  /\p{Lu}{4,}|\p{Lu}\P{L}+\p{Lu}/u.test(text);

/** A text with one capital at its start; `I` and known names keep theirs. */
function sentenceCase(text: string, words: KnownWords): string {
  let isFirst = true;
  return text.replace(/\p{L}+(?:['’]\p{L}+)*/gu, (word) => {
    const lower = word.toLowerCase();
    const capital = lower.charAt(0).toUpperCase() + lower.slice(1);
    const keeps = isFirst || /^i(?:['’]|$)/.test(lower) || (!words.hasName(lower) && words.hasName(capital));
    isFirst = false;
    return keeps ? capital : lower;
  });
}

/** Prepares a sentence. Without `withCopies` nothing becomes a placeholder. */
export function prepareText(sentence: string, words: KnownWords, withCopies: boolean): PreparedText {
  const isUpper = isInCapitals(sentence);
  const [, before = '', inner = '', after = ''] = emojiAround.exec(sentence) ?? [];
  const around = [before, after] as const;
  const read = inner.replace(emojiInside, '');
  const cased = isUpper ? sentenceCase(read, words) : read;
  const copies = new Map<string, string>();
  if (!withCopies) return { text: cased, copies, isUpper, around };
  const free: Record<string, string[]> = {
    name: [...copyPlaceholders.name],
    number: [...copyPlaceholders.number],
    time: [...copyPlaceholders.time],
  };
  const text = cased.replace(part, (found, ...rest) => {
    const groups = rest.at(-1) as Readonly<Record<string, string | undefined>>;
    const kind = groups.time ? 'time' : groups.number ? 'number' : 'name';
    // A word that the model knows is translated; a name that it has not seen is copied.
    if (kind === 'name' && (words.has(found) || isUpper)) return found;
    const known = [...copies].find(([, copied]) => copied === found)?.[0];
    const placeholder = known === undefined ? free[kind]?.shift() : undefined;
    if (placeholder === undefined) return found;
    copies.set(placeholder, found);
    return placeholder;
  });
  return { text, copies, isUpper, around };
}

/** Whether a translation has each placeholder exactly once. */
export const keepsCopies = ({ copies }: PreparedText, translation: string): boolean =>
  [...copies.keys()].every((placeholder) => translation.split(placeholder).length === 2) &&
  !/[\ue100-\ue107]/.test([...copies.keys()].reduce((text, each) => text.replace(each, ''), translation));

/** The translation of a prepared text with what was copied, in its case, and with its emoji. */
export function restoreText(
  { copies, isUpper, around: [before, after] }: PreparedText,
  translation: string,
): string {
  const restored = [...copies].reduce(
    (text, [placeholder, copied]) => text.replace(placeholder, copied),
    translation,
  );
  return before + (isUpper ? restored.toUpperCase() : restored) + after;
}
