// A text with wavy lines under the words that a model is not sure of.

import { type Content, html } from './panel.ts';

/** A text with its doubtful words underlined. `doubts`: ranges of these words, in order. */
export function markDoubts(
  text: string,
  doubts: readonly (readonly [start: number, end: number])[],
): Content {
  const out: Content[] = [];
  let at = 0;
  for (const [start, end] of doubts) {
    out.push(
      text.slice(at, start),
      html`<u class="doubt" title="The model is not sure of this word">${text.slice(start, end)}</u>`,
    );
    at = end;
  }
  return [...out, text.slice(at)];
}
