// Readers of files whose records are not lines: translation memories and files of translators, as pairs. Each is
// a row of the table and loaded when a file of its format is read. Other formats: docs/translators.md says how
// to convert them.

import type { PairReader, SegmentPair } from '../../../text/corpus/pair-reader.ts';
import { placeholderAt, withoutPlaceholders } from '../../../text/placeholders.ts';
import type { SegmentReader } from './segment-reader.ts';

/** A row of the table, and the reader that keeps inline elements. */
export interface DocumentReader extends PairReader {
  load(): Promise<SegmentReader>;
}

const row = (
  format: string,
  extensions: readonly string[],
  load: () => Promise<SegmentReader>,
): DocumentReader => ({
  format,
  label: format.toUpperCase(),
  extensions,
  load,
  async *read(chunks, name, { tags = 'drop', ...given }) {
    const change = tags === 'drop' ? withoutElements : equalPlaceholders;
    const pairs = (await load())(chunks, name, given);
    let next = await pairs.next();
    for (; !next.done; next = await pairs.next()) yield next.value.map(change);
    return next.value;
  },
});

/** The formats with their file names and readers. */
export const pairReaders: readonly DocumentReader[] = [
  row('tmx', ['tmx'], async () => (await import('./tmx.ts')).readTmx),
  row('xliff', ['xliff', 'xlf', 'mqxliff', 'sdlxliff'], async () => (await import('./xliff.ts')).readXliff),
  row('po', ['po', 'pot'], async () => (await import('./po.ts')).readPo),
  row('mo', ['mo', 'gmo'], async () => (await import('./mo.ts')).readMo),
];

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
