// Word and character error rates of recognized texts, as jiwer defines them: the edit distance of all texts over the
// number of words or characters of the references (Morris, Maier and Green, 2004). Case and punctuation count.

import { check } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';

/** An error rate with its counts. */
export interface ErrorRate {
  /** (substitutions + deletions + insertions) / units; 0.05 is 5 %. Above 1 if much is inserted. */
  readonly rate: number;
  /** Units that are others than in the reference. */
  readonly substitutions: number;
  /** Units of the reference that are missing. */
  readonly deletions: number;
  /** Units that the reference does not have. */
  readonly insertions: number;
  /** Words or characters of the references. */
  readonly units: number;
}

/** Words of a text, between white space. */
const wordsOf = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '');

/** Characters (code points) of a text without white space at its ends; spaces between words count. */
const charactersOf = (text: string): string[] => [...text.trim()];

/**
 * Word error rate of texts against a reference each, over the whole corpus. Throws a HeddleError if the lists differ
 * in length.
 *
 * @example
 * wordErrorRate(['turn of the light'], ['turn off the light']).rate; // 0.25
 */
export const wordErrorRate = (texts: readonly string[], references: readonly string[]): ErrorRate =>
  errorRate(texts, references, wordsOf);

/**
 * Character error rate of texts against a reference each, over the whole corpus. Throws a HeddleError if the lists
 * differ in length.
 *
 * @example
 * characterErrorRate(['abd'], ['abcd']).rate; // 0.25
 */
export const characterErrorRate = (texts: readonly string[], references: readonly string[]): ErrorRate =>
  errorRate(texts, references, charactersOf);

function errorRate(
  texts: readonly string[],
  references: readonly string[],
  unitsOf: (text: string) => string[],
): ErrorRate {
  check(
    texts.length === references.length,
    msg`error rate: ${texts.length} texts, ${references.length} references; give one for each`,
  );
  const sum = { substitutions: 0, deletions: 0, insertions: 0, units: 0 };
  for (const [i, text] of texts.entries()) {
    const wanted = unitsOf(references[i] as string);
    const edits = countEdits(unitsOf(text), wanted);
    sum.substitutions += edits.substitutions;
    sum.deletions += edits.deletions;
    sum.insertions += edits.insertions;
    sum.units += wanted.length;
  }
  const errors = sum.substitutions + sum.deletions + sum.insertions;
  return { rate: errors === 0 ? 0 : errors / sum.units, ...sum };
}

/** The edits of a shortest way from `wanted` to `text` (Levenshtein). */
function countEdits(
  text: readonly string[],
  wanted: readonly string[],
): Pick<ErrorRate, 'substitutions' | 'deletions' | 'insertions'> {
  const width = text.length + 1;
  const cost = new Uint32Array((wanted.length + 1) * width);
  const at = (i: number, j: number) => cost[i * width + j] as number;
  for (let j = 0; j < width; j++) cost[j] = j;
  for (let i = 1; i <= wanted.length; i++) {
    cost[i * width] = i;
    for (let j = 1; j < width; j++)
      cost[i * width + j] = Math.min(
        at(i - 1, j - 1) + (wanted[i - 1] === text[j - 1] ? 0 : 1),
        at(i - 1, j) + 1,
        at(i, j - 1) + 1,
      );
  }
  const edits = { substitutions: 0, deletions: 0, insertions: 0 };
  for (let i = wanted.length, j = text.length; i > 0 || j > 0; ) {
    const differ = wanted[i - 1] === text[j - 1] ? 0 : 1;
    if (i > 0 && j > 0 && at(i, j) === at(i - 1, j - 1) + differ) {
      edits.substitutions += differ;
      i--;
      j--;
    } else if (i > 0 && at(i, j) === at(i - 1, j) + 1) {
      edits.deletions++;
      i--;
    } else {
      edits.insertions++;
      j--;
    }
  }
  return edits;
}
