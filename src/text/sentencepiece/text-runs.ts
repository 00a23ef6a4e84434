// Splits normalized text into words, and words into runs: the largest parts that a trained piece never crosses. As
// in SentencePiece a piece has one script, and a space mark only at its start.

import { scriptNumber, scriptOf } from '../corpus/scripts.ts';
import { SPACE_MARK } from '../tokenizers/normalization.ts';
import { createTrie, decodeLossy, encodeUtf8 } from './byte-strings.ts';
import { nmtNfkc } from './nmt-nfkc.ts';
import { createNormalizer } from './sentencepiece-normalizer.ts';

/** How text is split. */
export interface RunOptions {
  /** Whether to fold case. */
  readonly lowercase: boolean;
  /** Whether each digit is a piece of its own. */
  readonly splitDigits: boolean;
  /** Texts that are always one piece. */
  readonly userSymbols: readonly string[];
}

const mark = SPACE_MARK.codePointAt(0) as number;
const [inherited, han, hiragana, katakana] = ['Zinh', 'Hani', 'Hira', 'Kana'].map(scriptNumber) as [
  number,
  number,
  number,
  number,
];
const prolongedSound = 0x30fc;

/** Script of a code point in pieces: kana counts as Han. */
const pieceScript = (code: number): number => {
  const script = scriptOf(code);
  return script === hiragana || script === katakana || code === prolongedSound ? han : script;
};

const isDigit = (code: number): boolean =>
  (code >= 0x30 && code <= 0x39) || (code >= 0xff10 && code <= 0xff19);

/**
 * Returns a function that normalizes a text and calls `onWord` for each of its words, which start with a space mark.
 */
export function createWordSplitter(
  options: RunOptions,
): (text: string, onWord: (word: string) => void) => void {
  const { lowercase, userSymbols } = options;
  const { rules, charsmap } = nmtNfkc(lowercase);
  const isStable = stableCharacters(rules);
  const symbols =
    userSymbols.length > 0
      ? createTrie(
          userSymbols.map((text, value) => ({ bytes: encodeUtf8(text), value })),
          'userSymbols',
        )
      : undefined;
  const normalize = createNormalizer(
    { charsmap, addDummyPrefix: true, removeExtraWhitespaces: true, escapeWhitespaces: true },
    'nmt_nfkc',
    symbols,
  );
  const symbolPattern =
    userSymbols.length > 0
      ? new RegExp(
          [...userSymbols]
            .sort((a, b) => b.length - a.length)
            .map((text) => text.replaceAll(' ', SPACE_MARK).replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
            .join('|'),
        )
      : undefined;
  /** Normalized text with space marks. */
  const marked = (text: string): string => {
    for (let i = 0; i < text.length; i++)
      if (isStable[text.charCodeAt(i)] === 0) return decodeLossy(normalize(encodeUtf8(text)));
    const plain = text.includes('  ') ? text.replace(/ {2,}/g, ' ') : text;
    const from = plain.startsWith(' ') ? 1 : 0;
    const to = plain.length > from && plain.endsWith(' ') ? -1 : undefined;
    const trimmed = plain.slice(from, to);
    return trimmed === '' ? '' : SPACE_MARK + trimmed.replaceAll(' ', SPACE_MARK);
  };
  return (text, onWord) => {
    const normal = marked(text);
    const parts = symbolPattern ? normal.split(symbolPattern) : [normal];
    for (const part of parts)
      for (let from = 0; from < part.length; ) {
        const next = part.indexOf(SPACE_MARK, from + 1);
        const to = next < 0 ? part.length : next;
        onWord(part.slice(from, to));
        from = to;
      }
  };
}

/** Calls `onRun` for each run of a word. */
export function splitRuns(text: string, splitDigits: boolean, onRun: (run: string) => void): void {
  let from = 0;
  let previous = -1; // -1: any script
  let afterDigit = false;
  for (let at = 0; at < text.length; ) {
    const code = text.codePointAt(at) as number;
    let cut = false;
    if (code === mark) {
      cut = at > from;
      previous = -1;
      afterDigit = false;
    } else {
      const script = pieceScript(code);
      const own = script === inherited ? previous : script;
      const digit = splitDigits && isDigit(code);
      // A digit is a piece without the space mark before it.
      cut = at > from && ((previous >= 0 && own !== previous) || digit || afterDigit);
      afterDigit = digit;
      previous = own < 0 && script === inherited ? -1 : own;
    }
    if (cut) {
      onRun(text.slice(from, at));
      from = at;
    }
    at += code > 0xffff ? 2 : 1;
  }
  if (from < text.length) onRun(text.slice(from));
}

/**
 * For each UTF-16 unit: 1 if text of such units only is normalized already, except for spaces. Units of
 * surrogates are not.
 */
function stableCharacters(rules: ReadonlyMap<string, string>): Uint8Array {
  const stable = new Uint8Array(0x10000).fill(1);
  stable.fill(0, 0xd800, 0xe000);
  stable[0] = 0;
  for (const text of rules.keys()) {
    const characters = Array.from(text);
    const changed = characters.length === 1 ? characters : characters.slice(1);
    for (const character of changed) if (character.length === 1) stable[character.charCodeAt(0)] = 0;
  }
  return stable;
}
