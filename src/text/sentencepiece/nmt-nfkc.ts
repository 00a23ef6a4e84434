// The normalization rules `nmt_nfkc` of SentencePiece, made from the Unicode data of this JavaScript engine:
// NFKC, spaces for invisible characters, no control characters. With `lowercase` they are `nmt_nfkc_cf`.

import { writeCharsmap } from './charsmap-writer.ts';

/** Control characters that are removed, as ranges of code points. */
const removed = [
  [0x01, 0x08],
  [0x0b, 0x0b],
  [0x0e, 0x1f],
  [0x7f, 0x7f],
  [0x8f, 0x8f],
  [0x9f, 0x9f],
] as const;

/** Characters that become a space: whitespace, invisible marks, the space mark, U+FFFD. */
const blanks = [
  0x09, 0x0a, 0x0c, 0x0d, 0x1680, 0x200b, 0x200c, 0x200e, 0x200f, 0x2028, 0x2029, 0x2581, 0xfeff, 0xfffd,
];

/** Full-width tilde, which Japanese text needs: it stays as it is. */
const kept = 0xff5e;

/** Number of characters that are tested together. */
const block = 64;

/** The replacement of each text that normalization changes. */
function makeRules(lowercase: boolean): Map<string, string> {
  const rules = new Map<string, string>();
  const fold = (text: string) => (lowercase ? text.toLowerCase().normalize('NFKC') : text);
  // Planes 3 to 16 have no characters that NFKC changes.
  for (let first = 0; first < 0x30000; first += block) {
    if (first >= 0xd800 && first < 0xe000) continue;
    const characters = Array.from({ length: block }, (_, i) => String.fromCodePoint(first + i));
    const all = characters.join('');
    if (all.normalize('NFKD') === all && fold(all) === all) continue;
    for (const [i, character] of characters.entries()) {
      if (first + i === 0 || first + i === kept) continue;
      const normal = fold(character.normalize('NFKC'));
      if (normal !== character) rules.set(character, normal);
      addSequences(character, fold, rules);
    }
  }
  for (const [from, to] of removed)
    for (let code = from; code <= to; code++) rules.set(String.fromCodePoint(code), '');
  for (const code of blanks) rules.set(String.fromCodePoint(code), ' ');
  return rules;
}

/** Adds the sequences that compose to a character: its canonical decomposition, also in part. */
function addSequences(character: string, fold: (text: string) => string, rules: Map<string, string>): void {
  const parts = Array.from(character.normalize('NFD'));
  if (parts.length < 2) return;
  if (character >= '가' && character <= '힣') {
    rules.set(parts.join(''), character);
    if (parts.length > 2) rules.set(`${parts.slice(0, 2).join('').normalize('NFC')}${parts[2]}`, character);
    return;
  }
  const composed = character.normalize('NFKC');
  for (let whole = 0; whole < parts.length; whole++) {
    const start = parts.slice(0, whole).join('').normalize('NFC');
    const sequence = start + parts.slice(whole).join('');
    if (Array.from(sequence).length > 1 && sequence.normalize('NFKC') === composed && sequence !== composed)
      rules.set(sequence, fold(composed));
  }
}

const made = new Map<
  boolean,
  { readonly rules: ReadonlyMap<string, string>; readonly charsmap: Uint8Array }
>();

/** The rules as text and replacement, and compiled (precompiled_charsmap); made once. */
export function nmtNfkc(lowercase: boolean) {
  const known = made.get(lowercase);
  if (known) return known;
  const rules = makeRules(lowercase);
  const result = { rules, charsmap: writeCharsmap(rules) };
  made.set(lowercase, result);
  return result;
}
