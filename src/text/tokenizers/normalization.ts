// Normalization and pre-tokenization: text is normalized and split into pieces that no token crosses. tokenizer.json
// states the same rules for Hugging Face's libraries. Spaces become part of pieces, as in SentencePiece: `Hi, Tom.` is
// `▁Hi` `,` `▁Tom` `.`.

import { isPlainText } from '../corpus/pairs.ts';

/** Replaces a space, at the start of a piece. */
export const SPACE_MARK = '\u2581';

/** Rules of normalization and pre-tokenization. */
export interface TextRules {
  readonly lowercase: boolean;
  /**
   * `apart`: words, numbers and punctuation marks are pieces. `strip`: ASCII punctuation and `¿` are deleted, as in the
   * Keras English-to-Spanish example, and pieces end at spaces. `none`: the text is not split, and spaces stay spaces.
   */
  readonly pieces: 'apart' | 'strip' | 'none';
  /** Maximum number of digits of a piece, for `apart`: with 2, `1998` is `19` `98`. */
  readonly digits: number;
}

/** Python's string.punctuation and `¿`, as in the Keras example, which does not strip `¡`. */
const stripped = '[!-/:-@\\[-`{-~¿]';
/** Whitespace, the byte-order mark, and SPACE_MARK itself. */
const blank = `[\\s\ufeff${SPACE_MARK}]+`;
const stripRegex = new RegExp(stripped, 'g');
const blankRegex = new RegExp(blank.replace('\\s', '\\p{White_Space}'), 'gu');

/** The pattern of a piece, in syntax that JavaScript and Oniguruma share. */
const piecePattern = ({ pieces, digits }: TextRules): string =>
  pieces === 'strip'
    ? `${SPACE_MARK}?[^${SPACE_MARK}]+`
    : `${SPACE_MARK}?(?:\\p{N}{1,${digits}}|[\\p{L}\\p{M}]+(?:['’][\\p{L}\\p{M}]+)*|[^\\p{L}\\p{M}\\p{N}${SPACE_MARK}])`;

/** Returns a function that normalizes text: NFC, single spaces, trimmed, and by the rules. */
export function createTextNormalizer(rules: TextRules): (text: string) => string {
  return (text) => {
    const plain = isPlainText(text);
    let out = plain ? text : text.normalize('NFC');
    if (rules.lowercase) out = out.toLowerCase();
    if (rules.pieces === 'strip') out = out.replace(stripRegex, '');
    else if (plain) return out;
    out = out.replace(blankRegex, ' ');
    const from = out.startsWith(' ') ? 1 : 0;
    return out.slice(from, out.length > from && out.endsWith(' ') ? -1 : undefined);
  };
}

/** Returns a function that splits a word (text between two spaces) into pieces; the first starts with SPACE_MARK. */
export function createPreTokenizer(rules: TextRules): (word: string) => string[] {
  const piece = new RegExp(piecePattern(rules), 'gu');
  return (word) => (SPACE_MARK + word).match(piece) ?? [];
}

/** The `normalizer` of tokenizer.json. */
export const normalizerJson = (rules: TextRules) => ({
  type: 'Sequence',
  normalizers: [
    { type: 'NFC' },
    ...(rules.lowercase ? [{ type: 'Lowercase' }] : []),
    ...(rules.pieces === 'strip' ? [{ type: 'Replace', pattern: { Regex: stripped }, content: '' }] : []),
    { type: 'Replace', pattern: { Regex: blank }, content: ' ' },
    { type: 'Strip', strip_left: true, strip_right: true },
  ],
});

const metaspace = { type: 'Metaspace', replacement: SPACE_MARK, prepend_scheme: 'always', split: true };

/** The `pre_tokenizer` of tokenizer.json. */
export const preTokenizerJson = (rules: TextRules) =>
  rules.pieces === 'none'
    ? null
    : {
        type: 'Sequence',
        pretokenizers: [
          metaspace,
          { type: 'Split', pattern: { Regex: piecePattern(rules) }, behavior: 'Isolated', invert: false },
        ],
      };

/** The `decoder` of tokenizer.json. */
export const decoderJson = (rules: TextRules) => (rules.pieces === 'none' ? { type: 'Fuse' } : metaspace);
