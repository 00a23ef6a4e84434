// Normalization and pre-tokenization: text is normalized and split into pieces that no token crosses.
// tokenizer.json states the same rules for Hugging Face's libraries. Spaces become part of pieces, as in
// SentencePiece: `Hi, Tom.` is `▁Hi` `,` `▁Tom` `.`.

import { present } from '../../core/present.ts';
import { isPlainText } from '../corpus/normalize-text.ts';

/** Kinds of tokenizers that heddle trains. */
export type TokenizerKind = 'word' | 'char' | 'bpe';

/** Replaces a space, at the start of a piece. */
export const SPACE_MARK = '\u2581';

/** Whitespace, the byte-order mark, and SPACE_MARK itself. */
const blank = `[\\s\ufeff${SPACE_MARK}]+`;
const blankRegex = new RegExp(blank.replace('\\s', '\\p{White_Space}'), 'gu');

/**
 * The pattern of a piece, in syntax that JavaScript and Oniguruma share: a word, a punctuation mark, or up to
 * two digits, so that `1998` is `19` `98`.
 */
const piecePattern = `${SPACE_MARK}?(?:\\p{N}{1,2}|[\\p{L}\\p{M}]+(?:['’][\\p{L}\\p{M}]+)*|[^\\p{L}\\p{M}\\p{N}${SPACE_MARK}])`;
const pieceRegex = new RegExp(piecePattern, 'gu');

/** Returns a function that normalizes text: NFC, single spaces, trimmed, and lowercase if wanted. */
export const createTextNormalizer =
  (lowercase: boolean) =>
  (text: string): string => {
    const plain = isPlainText(text);
    let out = plain ? text : text.normalize('NFC');
    if (lowercase) out = out.toLowerCase();
    if (plain) return out;
    out = out.replace(blankRegex, ' ');
    const from = out.startsWith(' ') ? 1 : 0;
    return out.slice(from, out.length > from && out.endsWith(' ') ? -1 : undefined);
  };

/** Splits a word (text between two spaces) into pieces; the first starts with SPACE_MARK. */
export const splitWord = (word: string): string[] => (SPACE_MARK + word).match(pieceRegex) ?? [];

/** The `normalizer` of tokenizer.json. */
export const normalizerJson = (lowercase: boolean) => ({
  type: 'Sequence',
  normalizers: present([
    { type: 'NFC' },
    lowercase ? { type: 'Lowercase' } : undefined,
    { type: 'Replace', pattern: { Regex: blank }, content: ' ' },
    { type: 'Strip', strip_left: true, strip_right: true },
  ]),
});

/** SentencePiece's spaces as `pre_tokenizer` and `decoder` of tokenizer.json. */
export const metaspace = {
  type: 'Metaspace',
  replacement: SPACE_MARK,
  prepend_scheme: 'always',
  split: true,
};

/**
 * The `pre_tokenizer` and `decoder` of tokenizer.json of a kind; a character tokenizer does not split text.
 */
export const piecesJson = (kind: TokenizerKind) =>
  kind === 'char'
    ? { pre_tokenizer: null, decoder: { type: 'Fuse' } }
    : {
        pre_tokenizer: {
          type: 'Sequence',
          pretokenizers: [
            metaspace,
            { type: 'Split', pattern: { Regex: piecePattern }, behavior: 'Isolated', invert: false },
          ],
        },
        decoder: metaspace,
      };
