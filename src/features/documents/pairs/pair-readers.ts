// Readers of files whose records are not lines: translation memories and files of translators, as pairs. Each is
// a row of the table and loaded when a file of its format is read. Other formats: docs/translators.md says how
// to convert them.

import { HeddleError } from '../../../core/errors.ts';
import type { PairReader, SegmentPair } from '../../../text/corpus/pair-reader.ts';
import { placeholderAt, withoutPlaceholders } from '../inline/placeholders.ts';

/** The formats with their file names and readers. */
export const pairReaders = {
  tmx: { names: /\.tmx$/i, load: async () => (await import('./tmx.ts')).readTmx },
  xliff: {
    names: /\.(?:xliff|xlf|mqxliff|sdlxliff)$/i,
    load: async () => (await import('./xliff.ts')).readXliff,
  },
  po: { names: /\.pot?$/i, load: async () => (await import('./po.ts')).readPo },
  mo: { names: /\.g?mo$/i, load: async () => (await import('./mo.ts')).readMo },
} as const satisfies Readonly<Record<string, { readonly names: RegExp; load(): Promise<PairReader> }>>;

/** Name of a format that has a reader. */
export type ReaderFormat = keyof typeof pairReaders;

/** Whether a format has a reader. */
export const hasReader = (format: string): format is ReaderFormat => Object.hasOwn(pairReaders, format);

/** The format with a reader that a file name belongs to, without `.gz`. */
export const readerFormatOf = (path: string): ReaderFormat | undefined =>
  (Object.keys(pairReaders) as ReaderFormat[]).find((format) =>
    pairReaders[format].names.test(path.replace(/\.gz$/i, '')),
  );

/** What happens to inline elements in pairs: they are dropped, or placeholders stand for them. */
export const tagModes = ['drop', 'placeholders'] as const;
/** Name of a mode. */
export type TagMode = (typeof tagModes)[number];

/** Options of a file with a reader; see `PairFiles`. */
interface ReaderOptions {
  readonly sourceColumn?: string;
  readonly targetColumn?: string;
  readonly tags?: TagMode;
}

/**
 * Yields blocks of TSV with the pairs of a file, and the number of the first pair of each. Throws as the reader,
 * and if the file has no pairs.
 */
export async function* readerBlocks(
  format: ReaderFormat,
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  { sourceColumn, targetColumn, tags = 'drop' }: ReaderOptions,
  blockBytes: number,
): AsyncGenerator<{ readonly line: number; readonly bytes: Uint8Array }> {
  const read = await pairReaders[format].load();
  const pairs = read(chunks, name, { source: sourceColumn, target: targetColumn });
  const change = tags === 'drop' ? withoutElements : equalPlaceholders;
  let [line, lines, size, total] = [1, [] as string[], 0, 0];
  for (let next = await pairs.next(); ; next = await pairs.next()) {
    for (const pair of next.done ? [] : next.value) {
      const text = lineOf(change(pair));
      lines.push(text);
      size += text.length;
    }
    if (lines.length > 0 && (next.done || size >= blockBytes)) {
      yield { line, bytes: new TextEncoder().encode(lines.join('')) };
      line += lines.length;
      total += lines.length;
      [lines, size] = [[], 0];
    }
    if (!next.done) continue;
    if (total === 0)
      throw new HeddleError(`${name}: there is no pair: the file has no ${next.value.described}`);
    return;
  }
}

/** A pair as a line of TSV, whose texts have no line breaks and tabs. */
const lineOf = ({ source, target }: SegmentPair): string =>
  `${source.replace(/\s+/g, ' ')}\t${target.replace(/\s+/g, ' ')}\n`;

const withoutElements = ({ source, target }: SegmentPair): SegmentPair => ({
  source: withoutPlaceholders(source),
  target: withoutPlaceholders(target),
});

/** A pair without its placeholders if both sides do not have the same, which would teach a model to lose them. */
export function equalPlaceholders(pair: SegmentPair): SegmentPair {
  const codesIn = (text: string) =>
    [...text]
      .filter((c) => placeholderAt(c))
      .sort()
      .join('');
  return codesIn(pair.source) === codesIn(pair.target) ? pair : withoutElements(pair);
}
