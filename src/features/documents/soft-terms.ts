// Soft terms: for models that were trained with the augmentation `terms`, a term is followed by its translation in the
// source, so that the model inflects it and chooses its place. Phrases make sure of it.

import { markTerm, termMarks } from '../../text/term-marks.ts';
import { ownToken } from '../../text/tokenizers/phrase-ids.ts';
import type { Tokenizer } from '../../text/tokenizers/tokenizer.ts';
import type { WantedTerm } from './segment-checks.ts';

/** A term with its place in a text. */
export interface PlacedTerm extends WantedTerm {
  /** First UTF-16 code unit of the term in the text. */
  readonly start: number;
  /** The one after its last. */
  readonly end: number;
}

/** Whether a model reads marks of terms: its source vocabulary has them. */
export const readsTermMarks = (source: Tokenizer): boolean =>
  Object.values(termMarks).every((mark) => ownToken(source, mark) !== undefined);

/** A text with the translations of its terms, which are in order and do not overlap. */
export function withTermMarks(text: string, terms: readonly PlacedTerm[]): string {
  let [out, at] = ['', 0];
  for (const { start, end, target } of terms) {
    if (start < at) continue;
    const [before, after] = [text[start - 1], text[end]];
    const spaced = (side: string | undefined) => side === undefined || /\s/.test(side);
    out += `${text.slice(at, start)}${spaced(before) ? '' : ' '}${markTerm(text.slice(start, end), target)}`;
    out += spaced(after) ? '' : ' ';
    at = end;
  }
  return out + text.slice(at);
}
