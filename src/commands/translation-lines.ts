// What `heddle translate` writes of translations: texts, alignments and JSON.

import { formatLinks } from '../decode/word-links.ts';
import { toSingleLine } from '../text/corpus/pairs.ts';
import type { Translated } from './jobs/translate-job.ts';

/** A translation as --json prints it. */
export const withoutAttention = ({ attention: _, alignment: _1, ...translation }: Translated) => translation;

/**
 * A line of JSON for each text: its number, from 1, translation, tokens and attention. An empty text has only
 * number and translation.
 */
export const alignmentLines = (translations: readonly Translated[][], first: number): string =>
  translations
    .map(
      ([best], i) =>
        `${JSON.stringify({ text: first + i + 1, translation: best?.text ?? '', ...best?.attention })}\n`,
    )
    .join('');

/** A line of pairs of words for each text, as of fast_align, `0-0 1-2`; an empty line for an empty text. */
export const pharaohLines = (translations: readonly Translated[][]): string =>
  translations.map(([best]) => `${formatLinks(best?.alignment ?? [])}\n`).join('');

/** The best translation of each text and its pairs of words: `el gato ||| 0-0 1-1`. */
export const hardLines = (translations: readonly Translated[][]): string =>
  translations
    .map(([best]) => `${toSingleLine(best?.text ?? '')} ||| ${formatLinks(best?.alignment ?? [])}`)
    .join('\n');

/**
 * The best translation of each text, one per line. With `numReturn` all translations, each with the number of
 * its text, from 1, and its score; none for an empty text, whose translation is empty.
 */
export function translationLines(
  translations: readonly Translated[][],
  { numReturn, ids }: { readonly numReturn?: number; readonly ids?: boolean },
  first = 0,
): string {
  const textOf = (x: Translated | undefined): string =>
    ids ? (x?.ids ?? []).join(' ') : toSingleLine(x?.text ?? '');
  if (numReturn === undefined) return translations.map(([best]) => textOf(best)).join('\n');
  return translations
    .flatMap((candidates, i) =>
      candidates.map((x) => `${first + i + 1}\t${(x.score ?? 0).toFixed(4)}\t${textOf(x)}`),
    )
    .join('\n');
}
