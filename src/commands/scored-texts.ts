// The file of `heddle eval --out`: translations, one per line; or with their sources, references and scores, as TSV
// or JSON lines by the name of the file.

import { toColumn, toSingleLine } from '../text/corpus/pairs.ts';
import { sentenceBleu } from '../text/metrics/bleu.ts';
import { sentenceChrf } from '../text/metrics/chrf.ts';

/** A sentence with its translation by one system. */
export interface TranslatedText {
  /** Index of its pair. */
  readonly pair: number;
  readonly source: string;
  readonly references: readonly string[];
  readonly translation: string;
}

/**
 * The content of the file `name`, for `count` pairs. Scores are sentence BLEU (effective order) and chrF2, from 0 to
 * 100. A file with only translations has a line for each pair, empty if the pair was skipped.
 */
export function scoredTexts(name: string, texts: readonly TranslatedText[], count: number): string {
  if (!/\.(?:tsv|jsonl)$/i.test(name)) {
    const all = new Array<string>(count).fill('');
    for (const { pair, translation } of texts) all[pair] = toSingleLine(translation);
    return lines(all);
  }
  const rows = texts.map(({ source, references, translation }) => ({
    source,
    translation,
    references,
    bleu: rounded(sentenceBleu(translation, references).score),
    chrf: rounded(sentenceChrf(translation, references).score),
  }));
  if (/\.jsonl$/i.test(name)) return lines(rows.map((row) => JSON.stringify(row)));
  const columns = Math.max(1, ...texts.map(({ references }) => references.length));
  const heads = Array.from({ length: columns }, (_, i) =>
    columns === 1 ? 'reference' : `reference ${i + 1}`,
  );
  const cells = rows.map(({ source, translation, references, bleu, chrf }) =>
    [source, translation, ...heads.map((_, i) => references[i] ?? ''), bleu, chrf].map((cell) =>
      toColumn(String(cell)),
    ),
  );
  return lines([['source', 'translation', ...heads, 'BLEU', 'chrF2'], ...cells].map((row) => row.join('\t')));
}

const lines = (texts: readonly string[]): string => texts.map((text) => `${text}\n`).join('');

const rounded = (score: number): number => Math.round(100 * score) / 100;
