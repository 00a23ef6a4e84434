// The normalization of a SentencePiece model as normalizers of tokenizer.json. transformers.js replaces the
// rules of a `Precompiled` normalizer by an approximation of its own, so the rules are written as `Replace`
// and Unicode normalizers, which have the same results for every text.
//
// SentencePiece replaces the longest key at each position, once. Normalizers run one after another, so a
// later one could replace the result of an earlier one. To prevent that, the first one puts a mark before
// each key or other character, and the others replace marked segments as a whole. The marks are lone
// surrogates, which no text has: those of an input become U+FFFD, as in UTF-8.

import { present } from '../../core/present.ts';
import type { Json } from '../../files/json-files.ts';
import type { SentencePieceModel } from '../../text/sentencepiece/sentencepiece-model.ts';
import { readCharsmap } from '../../text/sentencepiece/sentencepiece-normalizer.ts';
import { SPACE_MARK } from '../../text/tokenizers/normalization.ts';
import { triePattern } from './trie-pattern.ts';

/**
 * First character of tokens that a text must not match: special tokens, and tokens that only the target has.
 * For tokens that match only at some positions of a text, such as a language at its start, a normalizer
 * inserts it there.
 */
export const TOKEN_MARK = '\udf5a';
/** Last character of such tokens in a BPE model. The first merges build each token from here to its start. */
export const TOKEN_END = '\udc04';
/** Before a segment that is not replaced yet, and before one that is. */
const [OPEN, DONE] = ['\udc01', '\udc02'];
/** After the text, if the model puts the space mark at the end. */
const TAIL = '\udc03';
/** Before a text that starts with a space. */
const HEAD = '\udc05';

const startOfText = '\\A';
const endOfText = '\\z';
/** A target language before the text, such as `>>fra<<`. */
const language = `${TOKEN_MARK}>>[^<>\\s]+<<${TOKEN_END}?`;
/** After a segment. */
const segmentEnd = `(?![^${OPEN}${DONE}])`;

/** A normalizer that replaces a pattern; `$&` in the content is what matches. */
export const replace = (pattern: string, content: string): Json => ({
  type: 'Replace',
  pattern: { Regex: pattern },
  content,
});

/** A text as the content of `replace`. */
const literal = (text: string): string => text.replaceAll('$', '$$$$');

/**
 * Normalizers that implement most rules of SentencePiece's predefined tables (nmt_nfkc, nfkc_cf, ...), and
 * none.
 */
const bases: readonly { readonly json: readonly Json[]; run(text: string): string }[] = [
  { json: [{ type: 'NFKC' }], run: (text) => text.normalize('NFKC') },
  { json: [{ type: 'NFKC' }, { type: 'Lowercase' }], run: (text) => text.normalize('NFKC').toLowerCase() },
  { json: [], run: (text) => text },
];

/** Options of `sentencePieceNormalizers`. */
export interface NormalizersOptions {
  /** Target languages that a text may start with, as `>>fra<<`. */
  readonly languages: readonly string[];
  /** TOKEN_MARK, `$&` and what is after a token. */
  readonly token: string;
  /**
   * Start of a text. `mark`: the normalizers add the space mark, if the model does. Otherwise the
   * pre-tokenizer adds it to the first part of a text, and spaces at the start become nothing (`none`), one
   * space (`one`) or two spaces (`two`).
   */
  readonly leading: 'mark' | 'none' | 'one' | 'two';
  /** Characters of tokens. Any other character is unknown. */
  readonly known: ReadonlySet<string>;
}

/** The normalizers of a model. */
export function sentencePieceNormalizers(model: SentencePieceModel, options: NormalizersOptions): Json[] {
  const { normalizer: spec, whitespaceAsSuffix } = model;
  const { languages, token, leading } = options;
  const collapse = spec.removeExtraWhitespaces;
  const blank = spec.escapeWhitespaces ? SPACE_MARK : ' ';
  const added = !spec.addDummyPrefix || leading !== 'mark' ? 'none' : whitespaceAsSuffix ? 'after' : 'before';
  const symbols = model.pieces.filter(({ type }) => type === 'user-defined').map(({ text }) => text);
  const { before, after, marks } = ruleNormalizers(model, symbols, options);
  const atStart =
    languages.length > 0 ? `(?<=${startOfText}(?:${language})?)(?![${TOKEN_MARK}${TOKEN_END}])` : startOfText;
  const atOpen =
    languages.length > 0 ? `${startOfText}(?:${OPEN}${language}|(?!${OPEN}${TOKEN_MARK}))` : startOfText;
  const spaceMarks = `[ ${HEAD}${spec.escapeWhitespaces ? SPACE_MARK : ''}]+`;
  // A text of spaces only is empty; one whose other characters are all deleted is not.
  const anyCharacter = !collapse ? '[\\s\\S]' : marks ? `[${OPEN}${DONE}](?! ${segmentEnd})` : '[^ ]';
  const rest =
    languages.length > 0 ? `${startOfText}(?:${OPEN}?${language}|(?!${OPEN}?${TOKEN_MARK}))[\\s\\S]*` : '';
  return present([
    replace('\\p{Cs}', '\ufffd'),
    languages.length > 0 ? replace(startOfText + triePattern(languages), token) : undefined,
    leading === 'one' ? replace(`${startOfText} `, HEAD) : undefined,
    ...before,
    added === 'before' && !collapse
      ? replace(marks ? `${atOpen}(?=[${OPEN}${DONE}])` : `${atStart}(?=[\\s\\S])`, `$&${blank}`)
      : undefined,
    added === 'after' ? replace(`${endOfText}(?<=${rest}${anyCharacter}[\\s\\S]*)`, TAIL) : undefined,
    ...after,
    ...(collapse
      ? present([
          replace(
            `${leading === 'one' ? `(?<=${startOfText}${HEAD}?)` : atStart} +`,
            leading === 'two' ? '  ' : '',
          ),
          replace(leading === 'two' ? '(?<=[^ ]) {2,}' : ' {2,}', ' '),
          replace(`${spaceMarks}(?=${TAIL}?${endOfText})`, ''),
          added === 'before' ? replace(`${atStart}(?=[\\s\\S])`, blank) : undefined,
        ])
      : []),
    added === 'after' ? replace(TAIL, blank) : undefined,
    leading === 'one' ? replace(HEAD, ' ') : undefined,
    spec.escapeWhitespaces ? replace(' ', SPACE_MARK) : undefined,
  ]);
}

/**
 * The normalizers of the compiled rules. `before`: mark and replace segments; `after`: remove the marks. The
 * space mark is added between them. `marks`: whether there are rules.
 */
function ruleNormalizers(
  { normalizer: { charsmap }, byteFallback }: SentencePieceModel,
  symbols: readonly string[],
  { known, languages }: NormalizersOptions,
): { readonly before: Json[]; readonly after: Json[]; readonly marks: boolean } {
  if (charsmap.length === 0) return { before: [], after: [], marks: false };
  const rules = readCharsmap(charsmap, 'charsmap').entries();
  for (const symbol of symbols) rules.set(symbol, symbol);
  let best:
    | { readonly base: (typeof bases)[number]; readonly exceptions: ReadonlyMap<string, string> }
    | undefined;
  for (const base of bases) {
    if (languages.some((token) => base.run(token) !== token)) continue;
    const exceptions = exceptionsOf(rules, base.run, best?.exceptions.size);
    if (exceptions) best = { base, exceptions };
  }
  const { base, exceptions } = best as NonNullable<typeof best>;
  // Without byte fallback all unknown characters are the same token, so one of them can replace the others.
  const unknown = byteFallback ? undefined : unknownCharacter(rules, known, base.run);
  const groups = new Map<string, string[]>();
  for (const [key, value] of exceptions) {
    const replaced =
      unknown !== undefined && key === value && isCharacter(key) && !known.has(key) ? unknown : value;
    const group = groups.get(replaced);
    if (group) group.push(key);
    else groups.set(replaced, [key]);
  }
  const before: Json[] = [];
  const after: Json[] = [];
  for (const [value, keys] of groups) {
    const pattern = `${OPEN}${triePattern(keys)}${segmentEnd}`;
    if (base.run(value) === value) before.push(replace(pattern, DONE + literal(value)));
    else {
      // The base would change the value: a code of two lone surrogates stands for it.
      const index = after.length;
      const code = String.fromCharCode(0xdc40 + (index >> 8), 0xdd00 + (index & 255));
      before.push(replace(pattern, DONE + code));
      after.push(replace(code, literal(value)));
    }
  }
  const keys = [...rules.keys()].filter((key) => !isCharacter(key) && !symbols.includes(key));
  const segments = present([
    languages.length > 0 ? language : undefined,
    symbols.length > 0 ? triePattern(symbols) : undefined,
    keys.length > 0 ? triePattern(keys) : undefined,
    '[\\s\\S]',
  ]);
  return {
    before: [replace(segments.join('|'), `${OPEN}$&`), ...before, ...base.json],
    after: [...after, replace(`[${OPEN}${DONE}]`, '')],
    marks: true,
  };
}

const isCharacter = (text: string): boolean =>
  text.length === ((text.codePointAt(0) as number) > 0xffff ? 2 : 1);

/**
 * The rules that `run` does not implement, and `c -> c` for each character that it changes without a rule.
 * Undefined if there are `limit` or more.
 */
function exceptionsOf(
  rules: ReadonlyMap<string, string>,
  run: (text: string) => string,
  limit = Number.POSITIVE_INFINITY,
): Map<string, string> | undefined {
  const out = new Map<string, string>();
  for (const [key, value] of rules) {
    if (run(key) !== value) out.set(key, value);
    if (out.size >= limit) return undefined;
  }
  const blockSize = 128;
  for (let block = 0; block < 0x110000; block += blockSize) {
    if (block === 0xd800) block = 0xe000;
    const characters = Array.from({ length: blockSize }, (_, i) => String.fromCodePoint(block + i));
    const text = characters.join(OPEN);
    if (run(text) === text) continue;
    for (const character of characters)
      if (run(character) !== character && !rules.has(character)) out.set(character, character);
  }
  return out.size < limit ? out : undefined;
}

/** A character that is in no token and in no rule, and that `run` does not change. */
function unknownCharacter(
  rules: ReadonlyMap<string, string>,
  known: ReadonlySet<string>,
  run: (text: string) => string,
): string {
  let code = 0xffff;
  const isFree = (character: string) =>
    !rules.has(character) && !known.has(character) && run(character) === character;
  while (!isFree(String.fromCodePoint(code))) code += 0x10000;
  return String.fromCodePoint(code);
}
