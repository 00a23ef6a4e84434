// Reads pairs from a stream of XML: what TMX and XLIFF have in common.

import { HeddleError } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import type { SegmentPair } from '../../../text/corpus/pair-reader.ts';
import type { SegmentReader } from './segment-reader.ts';
import { decodeXml, type XmlHandler, XmlReader } from './xml-reader.ts';

/** Collects the pairs of a format. */
export interface XmlPairs extends XmlHandler {
  /** Name of the format, and of its root element, for messages. */
  readonly format: readonly [name: string, root: string];
  /** Whether the root element of the format was there. */
  readonly isFound: boolean;
  /** What the reader looks for, for messages. */
  readonly described: string;
  /** The pairs that are complete; they are taken from it after each chunk. */
  pairs: SegmentPair[];
}

/** Yields the pairs of each chunk; one chunk is in memory at a time. Throws as a `SegmentReader`. */
export async function* readXmlPairs(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  units: XmlPairs,
): ReturnType<SegmentReader> {
  const reader = new XmlReader(name, units);
  for await (const chunk of decodeXml(chunks, name)) {
    reader.write(chunk);
    yield units.pairs;
    units.pairs = [];
  }
  reader.close();
  const [format, root] = units.format;
  if (!units.isFound) throw new HeddleError(msg`not ${format}: there is no element ${root}`, { area: name });
  yield units.pairs;
  return { described: units.described };
}
