// What is done to a sentence before the model reads it, and undone in its translation: the case of a text in capitals,
// placeholders for names, numbers, dates and times, which the model copies (scripts/general-model/copies.mjs), a fragment
// without its capital and its mark at the end, and emoji, which the model does not know.

import type { KnownWords } from './known-words.ts';

/** Placeholders by kind, in the order of their use; the tokenizer of the model has a token for each. */
export const copyPlaceholders = {
  name: ['\ue100', '\ue101', '\ue102'],
  number: ['\ue103', '\ue104', '\ue105'],
  time: ['\ue106', '\ue107'],
} as const;

const months = 'January|February|March|April|May|June|July|August|September|October|November|December';
const spanishMonths =
  'enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre'.split('|');

/** Dates, addresses, codes, prices in euros, times, numbers with scores and ranges, and names. */
const part = new RegExp(
  [
    String.raw`(?<![\p{L}\p{N}])(?:(?<month>${months}) (?<day>\d{1,2})(?:st|nd|rd|th)?(?:,? (?<year>\d{4}))?`,
    String.raw`(?:the )?(?<day2>\d{1,2})(?:st|nd|rd|th)?(?: of)? (?<month2>${months})(?:,? (?<year2>\d{4}))?`,
    String.raw`(?<code>https?://\S*[\p{L}\p{N}/]|www\.\S*[\p{L}\p{N}/]|[\p{L}\p{N}._-]+@[\p{L}\p{N}.-]*[\p{L}\p{N}]|\p{Lu}+-?\d[\p{Lu}\d-]*|\d+(?: \d{2,})+|\d{3,}(?:-\d{2,})+)`,
    String.raw`(?<currency>[€£]) ?(?<amount>\d(?:[\d.,]*\d)?)`,
    String.raw`(?<time>\d{1,2}:\d\d)`,
    String.raw`(?<number>\d(?:[\d.,:/–-]*\d)?)`,
    String.raw`(?<name>(?:(?:Dr|Prof)\. )?\p{Lu}\p{L}+(?:-\p{Lu}\p{L}+)*))(?![\p{L}\p{N}])`,
  ].join('|'),
  'gu',
);

/** What a placeholder stands for in the sentence, and in its translation. */
interface Copy {
  readonly source: string;
  readonly target: string;
}

/** How a sentence is prepared. */
export interface PrepareOptions {
  /** Whether names, numbers, dates and times become placeholders. */
  readonly withCopies: boolean;
  /** Known names that become placeholders, too. */
  readonly names?: ReadonlySet<string>;
  /** Placeholders that are not used. */
  readonly without?: ReadonlySet<string>;
  /** Whether a sentence without a mark at its end gets one, and a capital. */
  readonly asSentence?: boolean;
}

/** A sentence as the model reads it. */
export interface PreparedText {
  readonly text: string;
  /** What each placeholder stands for. */
  readonly copies: ReadonlyMap<string, Copy>;
  readonly isUpper: boolean;
  /** Whether a capital at the start and a mark at the end were added. */
  readonly isFragment: boolean;
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
const isInCapitals = (text: string): boolean =>
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

/** What a sentence that begins with one of these asks. */
const asks =
  /^(?:who|what|when|where|why|how|which|whose|is|are|am|was|were|do|does|did|can|could|will|would|should|may|has|have) (?!a\b|the\b)/i;

/** Whether a text has no mark at its end. */
export const isFragment = (text: string): boolean => /[\p{L}\p{N}]$/u.test(text);

/** A fragment as a sentence. */
const asSentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\bi(?=['’ ]|$)/g, 'I')}${asks.test(text) ? '?' : '.'}`;

/** The Spanish of a date; undefined for what is no date. */
function spanishDate({ month, day, year, month2, day2, year2 }: Groups): string | undefined {
  const at = months.split('|').indexOf(month ?? month2 ?? '');
  if (at < 0) return undefined;
  const inYear = year ?? year2;
  return `el ${day ?? day2} de ${spanishMonths[at]}${inYear === undefined ? '' : ` de ${inYear}`}`;
}

/** The Spanish of a price in euros or pounds; undefined for what is none. */
const spanishPrice = ({ currency, amount }: Groups): string | undefined =>
  currency && `${amount} ${currency === '€' ? 'euros' : 'libras'}`;

type Groups = Readonly<Record<string, string | undefined>>;

/** Prepares a sentence. */
export function prepareText(sentence: string, words: KnownWords, options: PrepareOptions): PreparedText {
  const isUpper = isInCapitals(sentence);
  const [, before = '', inner = '', after = ''] = emojiAround.exec(sentence) ?? [];
  const around = [before, after] as const;
  const read = inner.replace(emojiInside, '').replaceAll('’', "'");
  const isPart = options.asSentence === true && isFragment(read);
  const cased = isUpper ? sentenceCase(read, words) : read;
  const plain = isPart ? asSentence(cased) : cased;
  const copies = new Map<string, Copy>();
  const found = { copies, isUpper, isFragment: isPart, around };
  if (!options.withCopies) return { text: plain, ...found };
  const free = Object.fromEntries(
    Object.entries(copyPlaceholders).map(([kind, all]) => [
      kind,
      all.filter((each) => !options.without?.has(each)),
    ]),
  );
  const text = plain.replace(part, (source, ...rest) => {
    const groups = rest.at(-1) as Groups;
    const written = spanishDate(groups) ?? spanishPrice(groups);
    const kind = groups.time ? 'time' : groups.number || written ? 'number' : 'name';
    // A word that the model knows is translated; a name that it has not seen is copied.
    if (groups.name && (isUpper || (words.has(source) && !options.names?.has(source)))) return source;
    const known = [...copies].find(([, copy]) => copy.source === source)?.[0];
    const placeholder = known ?? free[kind]?.shift();
    if (placeholder === undefined) return source;
    copies.set(placeholder, { source, target: written ?? source });
    return placeholder;
  });
  return { text, ...found };
}

/** Placeholders that a translation does not have exactly once. */
export const lostCopies = ({ copies }: PreparedText, translation: string): ReadonlySet<string> =>
  new Set(
    Object.values(copyPlaceholders)
      .flat()
      .filter((each) => translation.split(each).length !== (copies.has(each) ? 2 : 1)),
  );

/** The translation of a prepared text with what was copied, in its case, and with its emoji. */
export function restoreText(
  { copies, isUpper, isFragment: isPart, around: [before, after] }: PreparedText,
  translation: string,
): string {
  const restored = [...copies].reduce(
    (text, [placeholder, { target }]) => text.replace(placeholder, target),
    isPart ? translation.replace(/\.$/, '') : translation,
  );
  const dated = restored
    .replace(/(?:\b(?:en|el|a) )?\bel (?=\d{1,2} de [a-z]+\b)/giu, (found, at: number) =>
      at === 0 ? 'El ' : found.startsWith('a ') ? 'al ' : 'el ',
    )
    .replace(/\bde el (?=\d{1,2} de )/gu, 'del ');
  return before + (isUpper ? dated.toUpperCase() : dated) + after;
}
