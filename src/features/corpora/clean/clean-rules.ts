// The rules of `heddle clean` in one table: each has a name, a default, and a test of a pair. A pair is dropped by
// the first rule that it breaks. Duplicates are found by duplicate-filter.ts, since they depend on other pairs.

import { scriptNumber, scriptOf } from '../../../text/corpus/scripts.ts';
import { type LanguageGuesses, languageOf } from '../../../text/language-guesses.ts';
import { languageTag } from '../../../text/language-tag.ts';

/** A pair in a test: its texts as they are in the file, without spaces at the ends. */
export interface CleanPair {
  readonly source: string;
  readonly target: string;
}

/** Thresholds of the rules. 0 turns a rule off. */
export type CleanLimits = Readonly<Record<RuleName, number>>;

/** Languages of both sides, for the rules `script` and `language`. */
export interface CleanLanguages {
  /** ISO 639 code of the sources. [not tested] */
  readonly source?: string;
  /** ISO 639 code of the targets. [not tested] */
  readonly target?: string;
}

/** What the rules know about languages. */
export interface LanguageFacts extends CleanLanguages {
  /** Guesses the language of a text, for the rule `language`. [the rule drops nothing] */
  readonly detect?: (text: string) => LanguageGuesses;
}

/** A rule. */
export interface CleanRule {
  /** The rule as a phrase: what it drops. */
  readonly help: string;
  /** Threshold, or 1 for a rule without one. */
  readonly limit: number;
  /** Whether a pair breaks the rule. Absent for rules about several pairs. */
  readonly drops?: (pair: CleanPair, limit: number, languages: LanguageFacts) => boolean;
}

const letters = /[\p{L}\p{M}]/gu;
const wide = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu;
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;

/** Number of characters, where one of Chinese, Japanese or Korean counts as two and a half. */
const widthOf = (text: string): number => text.length + (mayBeWide.test(text) ? 1.5 * count(text, wide) : 0);
const mayBeWide = /[\u1100-\uffff]/;

const wordsOf = (text: string): number => (text.match(/\S+/g) ?? []).length;

/** Ratio of two lengths, where a constant on both keeps short texts apart: `Go.` and a whole sentence. */
const ratioOf = (a: number, b: number, constant: number): number =>
  (Math.max(a, b) + constant) / (Math.min(a, b) + constant);

const either = (test: (text: string, limit: number) => boolean) => (pair: CleanPair, limit: number) =>
  test(pair.source, limit) || test(pair.target, limit);

/** Whether both sides have different sets of matches. */
const differs =
  (pattern: RegExp, hint: RegExp) =>
  ({ source, target }: CleanPair): boolean => {
    if (!hint.test(source) && !hint.test(target)) return false;
    const found = (text: string) =>
      [...new Set((text.match(pattern) ?? []).map(withoutEnd))].sort().join('\n');
    return found(source) !== found(target);
  };

const url = /(?:https?:\/\/|www\.)[^\s<>"'«»“”]+/giu;
const email = /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/gu;
const withoutEnd = (text: string): string => text.toLowerCase().replace(/[.,;:!?)\]/]+$/, '');

/** Numbers without the marks between groups of digits. */
function numbersIn(text: string): string[] {
  const plain = text.replace(url, ' ').replace(email, ' ');
  return (plain.normalize('NFKC').match(/\p{Nd}+(?:[.,’' \u00a0\u202f]\p{Nd}{3})*/gu) ?? []).map((number) =>
    digitsOf(number),
  );
}

/** The digits of a number in any script as ASCII, without leading zeros. */
function digitsOf(number: string): string {
  let out = '';
  for (const character of number) {
    if (!/\p{Nd}/u.test(character)) continue;
    // The ten digits of a script are consecutive and start at a multiple of 2 with the value 0.
    const code = character.codePointAt(0) as number;
    let zero = code;
    while (zero > 0 && code - zero < 9 && /\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero--;
    out += code - zero;
  }
  return out.replace(/^0+(?=.)/, '');
}

/**
 * Whether both sides have numbers and none of them is on the other side, or the numbers of three or more digits
 * differ. A number that only one side has may be spelled out on the other.
 */
function numbersDiffer({ source, target }: CleanPair): boolean {
  if (!/\p{Nd}/u.test(source) || !/\p{Nd}/u.test(target)) return false;
  const [a, b] = [numbersIn(source), numbersIn(target)];
  if (a.length === 0 || b.length === 0) return false;
  if (!a.some((number) => b.includes(number))) return true;
  const [x, y] = [a, b].map((numbers) => numbers.filter((number) => number.length > 2)) as [
    string[],
    string[],
  ];
  if (x.length === 0 || y.length === 0) return false;
  return x.some((number) => !y.includes(number)) || y.some((number) => !x.includes(number));
}

const markup =
  /<\/?(?:a|abbr|b|big|blockquote|body|br|center|code|div|em|font|h[1-6]|head|hr|html|i|img|input|li|link|meta|ol|p|pre|s|script|small|span|strong|style|sub|sup|table|tbody|td|th|tr|u|ul)(?:\s[^<>]*)?\/?>|&(?:amp|lt|gt|quot|apos|nbsp|#\d{2,6}|#x[\da-f]{2,6});|\{\\[a-z]|\[\/?(?:b|i|u|url|quote)\]|<!--/iu;

/** Characters of the bytes 0x80 to 0x9f in Windows-1252. */
const windows =
  '\u20ac\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u017d\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u017e\u0178';
const trail = `[\\u0080-\\u00bf${windows}]`;
/** UTF-8 that was read as Latin-1 or Windows-1252: a first byte and its continuation bytes. */
const mojibake = new RegExp(
  `[\\u00c2\\u00c3\\u00c5\\u00ce\\u00cf\\u00d0\\u00d1]${trail}|[\\u00e2\\u00e3-\\u00ec]${trail}{2}|\\u00f0\\u0178${trail}{2}|\\ufffd`,
  'u',
);
/** Sequences that the pattern finds in correct text: a capital letter before a quotation mark. */
const quoted = /[\u00c3\u00d1\u00c5](?=[\u00bb\u2019\u201d\u203a\u2014\u2013\u2026])/gu;

const patterns = new Map<number, RegExp>();
function repeated(limit: number): RegExp {
  const pattern = patterns.get(limit) ?? new RegExp(`([^\\p{L}\\p{N}\\s])\\1{${limit},}`, 'u');
  patterns.set(limit, pattern);
  return pattern;
}

function hasFewLetters(text: string, limit: number): boolean {
  let ascii = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i) | 0x20;
    if (code >= 0x61 && code <= 0x7a) ascii++;
  }
  if (ascii >= limit * text.length) return false;
  const characters = Array.from(text.replace(/\s+/gu, '')).length;
  return characters >= 10 && count(text, letters) < limit * characters;
}

/** Whether fewer than a share of the letters have a script of a language. */
function hasOtherScript(text: string, language: string | undefined, limit: number): boolean {
  if (language === undefined) return false;
  const scripts = scriptsOf(language);
  if (scripts.size === 0) return false;
  let [known, all] = [0, 0];
  for (let i = 0; i < text.length; i++) {
    const code = text.codePointAt(i) as number;
    if (code > 0xffff) i++;
    const script = scriptOf(code);
    // Digits, punctuation and marks belong to all scripts.
    if (script === common || script === inherited) continue;
    all++;
    if (scripts.has(script)) known++;
  }
  return all > 0 && known < limit * all;
}

const [common, inherited] = ['Zyyy', 'Zinh'].map(scriptNumber);

const japanese = ['Hani', 'Hira', 'Kana'];
const allScripts: Readonly<Record<string, readonly string[]>> = {
  Jpan: japanese,
  Hrkt: japanese,
  Kore: ['Hang', 'Hani'],
  Hans: ['Hani', 'Bopo'],
  Hant: ['Hani', 'Bopo'],
};
const scriptsByLanguage = new Map<string, ReadonlySet<number>>();

/** Numbers of the scripts of a language. */
function scriptsOf(language: string): ReadonlySet<number> {
  const known = scriptsByLanguage.get(language);
  if (known) return known;
  const script = new Intl.Locale(languageTag(language) ?? 'und').maximize().script;
  const codes = script === undefined ? [] : (allScripts[script] ?? [script]);
  const scripts = new Set(codes.map(scriptNumber).filter((number) => number >= 0));
  scriptsByLanguage.set(language, scripts);
  return scripts;
}

/** A text with fewer letters, such as a name, is in many languages. */
const fewestLetters = 15;

/**
 * The language of a text if it is surely not the given one: another language is more similar to it by at least `margin`,
 * of 1. undefined: it is that language, or unsure.
 */
export function otherLanguage(
  text: string,
  language: string | undefined,
  margin: number,
  detect: LanguageFacts['detect'],
): string | undefined {
  if (language === undefined || !detect) return undefined;
  if (count(text, letters) < fewestLetters || isOfNames(text)) return undefined;
  const own = languageOf(language);
  const { guesses, isSure } = detect(text);
  const [best] = guesses;
  if (!isSure || !best || best.language === own) return undefined;
  const score = guesses.find((guess) => guess.language === own)?.score ?? 0;
  return best.score - score >= margin ? best.language : undefined;
}

const plain = (text: string): string =>
  (/[^ -\u024f\u2010-\u2026]/.test(text) ? text.normalize('NFKC') : text)
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();

/**
 * Whether a text is a list of names or a formula, which have no translation: no word of it begins with a lower-case
 * letter.
 */
const isOfNames = (text: string): boolean =>
  /\p{Ll}/u.test(text) && !/(?:^|[^\p{L}\p{N}(])[\p{Ll}\p{Lo}]\p{L}/u.test(text);

const rule = (help: string, limit: number, drops?: CleanRule['drops']): CleanRule => ({ help, limit, drops });

/** The rules by name, in the order in which they are tested. */
export const cleanRules = {
  malformed: rule('lines without two columns, or with invalid text', 1),
  empty: rule('pairs with an empty side', 1, ({ source, target }) => source === '' || target === ''),
  control: rule(
    'control characters',
    1,
    either((text) => /(?![\t\n])\p{Cc}/u.test(text)),
  ),
  mojibake: rule(
    'text that was decoded with a wrong encoding',
    1,
    either((text) => mojibake.test(text.replace(quoted, 'a'))),
  ),
  markup: rule(
    'leftover tags and entities of HTML, and codes of subtitles',
    1,
    either((text) => markup.test(text)),
  ),
  'too-long': rule(
    'texts of more characters',
    2000,
    either((text, limit) => text.length > limit),
  ),
  'too-many-words': rule(
    'texts of more words',
    250,
    either((text, limit) => wordsOf(text) > limit),
  ),
  'length-ratio': rule(
    'a side that has so many times the characters of the other, both plus 15',
    4,
    ({ source, target }, limit) => ratioOf(widthOf(source), widthOf(target), 15) > limit,
  ),
  'word-ratio': rule(
    'a side that has so many times the words of the other, both plus 4; not for scripts without spaces',
    4,
    ({ source, target }, limit) =>
      !unspaced.test(source) &&
      !unspaced.test(target) &&
      ratioOf(wordsOf(source), wordsOf(target), 4) > limit,
  ),
  'same-text': rule(
    'equal sides of at least so many words, compared without case and punctuation; not lists of names',
    3,
    ({ source, target }, limit) => {
      if (source.length < 8 || Math.abs(source.length - target.length) > 10 + source.length / 4) return false;
      const [a, b] = [source, target].map((text) => /[\p{L}\p{N}]/u.exec(text)?.[0].toLowerCase());
      if (a !== b && source.normalize('NFKC') === source && target.normalize('NFKC') === target) return false;
      if (isOfNames(source)) return false;
      const text = plain(source);
      return (
        text === plain(target) &&
        (count(text, /\p{L}+/gu) >= limit || (unspaced.test(text) && text.length > 7))
      );
    },
  ),
  letters: rule(
    'texts of 10 characters or more in which fewer than this share are letters (spaces are not counted)',
    0.3,
    either(hasFewLetters),
  ),
  script: rule(
    'texts of whose letters less than this share have a script of --source-lang or --target-lang',
    0.5,
    ({ source, target }, limit, languages) =>
      hasOtherScript(source, languages.source, limit) || hasOtherScript(target, languages.target, limit),
  ),
  language: rule(
    'texts of at least 15 letters that are surely in another language than --source-lang or --target-lang: more similar to it by this share',
    0.1,
    ({ source, target }, limit, languages) =>
      otherLanguage(source, languages.source, limit, languages.detect) !== undefined ||
      otherLanguage(target, languages.target, limit, languages.detect) !== undefined,
  ),
  urls: rule('URLs that are not the same on both sides', 1, differs(url, /www\.|:\/\//i)),
  emails: rule('e-mail addresses that are not the same on both sides', 1, differs(email, /@/)),
  numbers: rule(
    'numbers that differ: none is on both sides, or those of three or more digits are not',
    1,
    numbersDiffer,
  ),
  punctuation: rule(
    'a punctuation mark more than so many times in a row',
    4,
    either((text, limit) => repeated(limit).test(text)),
  ),
  'duplicate-pair': rule('pairs that occurred before', 1),
  'near-duplicate-pair': rule(
    'pairs that occurred before with other case, spaces or punctuation, if both sides have so many words',
    4,
  ),
  'duplicate-target': rule(
    'pairs whose target occurred so many times before, without case and punctuation',
    100,
  ),
} satisfies Record<string, CleanRule>;

/** Name of a rule of `cleanPairs`, such as `length-ratio` or `script`. */
export type RuleName = keyof typeof cleanRules;

/** Names of the rules in order. */
export const ruleNames = Object.keys(cleanRules) as RuleName[];

/** The default thresholds. */
export const defaultLimits: CleanLimits = Object.fromEntries(
  ruleNames.map((name) => [name, cleanRules[name].limit]),
) as CleanLimits;

/** The first rule that a pair breaks; undefined if it breaks none. */
export function brokenRule(
  pair: CleanPair,
  limits: CleanLimits,
  languages: LanguageFacts,
): RuleName | undefined {
  return ruleNames.find((name) => {
    const { drops }: CleanRule = cleanRules[name];
    return drops !== undefined && limits[name] > 0 && drops(pair, limits[name], languages);
  });
}

/** Text without case, spaces and punctuation, by which near duplicates are equal. */
export const nearText = plain;
