// Texts in columns of a terminal: cut to a width and padded to one.

import stringWidth from 'string-width';

const segmenter = new Intl.Segmenter();

const graphemesOf = (text: string): string[] => Array.from(segmenter.segment(text), ({ segment }) => segment);

/** The first of the graphemes that fit `width` columns. */
function fitting(graphemes: readonly string[], width: number): readonly string[] {
  let columns = 0;
  for (const [i, grapheme] of graphemes.entries()) {
    columns += stringWidth(grapheme);
    if (columns > width) return graphemes.slice(0, i);
  }
  return graphemes;
}

/** A text of at most `width` columns; a longer one ends in an ellipsis. */
export const cutText = (text: string, width: number): string =>
  stringWidth(text) <= width ? text : `${fitting(graphemesOf(text), width - 1).join('')}…`;

/** A text of at most `width` columns; a longer one begins with an ellipsis. */
export const cutStart = (text: string, width: number): string =>
  stringWidth(text) <= width
    ? text
    : `…${fitting(graphemesOf(text).reverse(), width - 1)
        .toReversed()
        .join('')}`;

/** A text with spaces behind it, or before it, to a width. */
export function padText(text: string, width: number, isRight = false): string {
  const spaces = ' '.repeat(Math.max(0, width - stringWidth(text)));
  return isRight ? spaces + text : text + spaces;
}
