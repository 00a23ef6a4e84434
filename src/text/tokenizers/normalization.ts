// What happens to a text before a vocabulary sees it: its normal form, and its cut into pieces that no token crosses. The same rules
// are written into tokenizer.json, where Hugging Face's libraries follow them to the same pieces.
//
// Spaces become part of the pieces: `Hi, Tom.` is `▁Hi` `,` `▁Tom` `.`, so that joining tokens gives the text back.

/** Stands for a space, at the head of a piece. */
export const SPACE_MARK = '\u2581';

/** How a text is normalised and cut. */
export interface TextRules {
  /** Whether case is dropped. */
  readonly lowercase: boolean;
  /**
   * `apart`: words, numbers and each punctuation mark are pieces. `strip`: ASCII punctuation and `¿` are deleted, as in the Keras
   * English-to-Spanish example, and pieces end at spaces only. `none`: the text is not cut at all, and spaces stay spaces.
   */
  readonly pieces: 'apart' | 'strip' | 'none';
  /** How many digits at most are one piece, where pieces are apart: with 2, `1998` is `19` `98`. */
  readonly digits: number;
}

/** Python's string.punctuation and the opening question mark; `¡` is not among them in the Keras example either. */
const stripped = '[!-/:-@\\[-`{-~¿]';
/** Spaces of all kinds, the byte-order mark, and the mark itself. */
const blank = `[\\s\ufeff${SPACE_MARK}]+`;
const stripRegex = new RegExp(stripped, 'g');
const blankRegex = new RegExp(blank.replace('\\s', '\\p{White_Space}'), 'gu');

/** The pattern of one piece, in syntax that JavaScript and Oniguruma read alike. */
const piecePattern = ({ pieces, digits }: TextRules): string =>
  pieces === 'strip'
    ? `${SPACE_MARK}?[^${SPACE_MARK}]+`
    : `${SPACE_MARK}?(?:\\p{N}{1,${digits}}|[\\p{L}\\p{M}]+(?:['’][\\p{L}\\p{M}]+)*|[^\\p{L}\\p{M}\\p{N}${SPACE_MARK}])`;

/** A function that gives the normal form of a text: NFC, one space between words, none at the ends, and as the rules say. */
export function createTextNormalizer(rules: TextRules): (text: string) => string {
  return (text) => {
    let out = text.normalize('NFC');
    if (rules.lowercase) out = out.toLowerCase();
    if (rules.pieces === 'strip') out = out.replace(stripRegex, '');
    out = out.replace(blankRegex, ' ');
    const from = out.startsWith(' ') ? 1 : 0;
    return out.slice(from, out.length > from && out.endsWith(' ') ? -1 : undefined);
  };
}

/** A function that cuts one word (what stands between two spaces of a normalised text) into its pieces, the first with the mark. */
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
