// Widths of texts in a terminal: a character of Chinese, Japanese or Korean and an emoji take two columns, a combining
// mark takes none.

const segmenter = new Intl.Segmenter('en');

/** Ranges of East Asian Width W and F (Unicode 16, EastAsianWidth.txt), of blocks as a whole. */
const wide =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{1b2ff}\u{20000}-\u{3fffd}]|^\p{Emoji_Presentation}|\ufe0f/u;
const narrow = /^[ -~]*$/;
const invisible = /^[\p{M}\p{Cf}]/u;

const columnsOf = (grapheme: string): number => (wide.test(grapheme) ? 2 : invisible.test(grapheme) ? 0 : 1);

const graphemes = (text: string): string[] => Array.from(segmenter.segment(text), ({ segment }) => segment);

/** Columns of a text in a line of a terminal. */
export const textWidth = (text: string): number =>
  narrow.test(text) ? text.length : graphemes(text).reduce((sum, each) => sum + columnsOf(each), 0);

/** The first characters of a text that fit `width` columns. */
export function headOf(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let [head, left] = ['', width];
  for (const each of graphemes(text)) {
    left -= columnsOf(each);
    if (left < 0) break;
    head += each;
  }
  return head;
}

/** A text of at most `width` columns; a longer one ends in an ellipsis. */
export const cutText = (text: string, width: number): string =>
  textWidth(text) <= width ? text : `${headOf(text, width - 1)}…`;

/** The last characters of a text that fit `width` columns. */
export function tailOf(text: string, width: number): string {
  let [tail, left] = ['', width];
  for (const each of graphemes(text).reverse()) {
    left -= columnsOf(each);
    if (left < 0) break;
    tail = each + tail;
  }
  return tail;
}

/** A text with spaces behind it, or before it, to a width. */
export function padText(text: string, width: number, isRight = false): string {
  const spaces = ' '.repeat(Math.max(0, width - textWidth(text)));
  return isRight ? spaces + text : text + spaces;
}
