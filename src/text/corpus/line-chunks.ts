// Chunks of a text file as whole lines, each short enough to be a text: a file without line breaks does not fill the
// memory.

import { concatBytes } from '../../files/files.ts';

const newline = 10;
const carriageReturn = 13;
const quote = 34;

/** Maximum bytes of a line, 1 MiB: no sentence is as long, and a damaged file may be one line. */
export const maxLineBytes = 2 ** 20;

/** What a line that is too long becomes, so that the numbers of the lines after it stay. No text has it. */
export const longLine = '\0\0';

const longBytes = new TextEncoder().encode(longLine);

/** Bytes in which the first LF is looked for. */
const headBytes = 2 ** 16;

/** Chunks of a text file; if its start has CR and no LF, as in exports of old Macs, each CR becomes an LF. */
export async function* withNewlines(given: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const chunks = given[Symbol.asyncIterator]();
  let start: Uint8Array = new Uint8Array();
  let next: IteratorResult<Uint8Array>;
  do {
    next = await chunks.next();
    if (!next.done) start = concatBytes([start, next.value]);
  } while (
    !next.done &&
    !start.includes(newline) &&
    (start.length < headBytes || start.at(-1) === carriageReturn)
  );
  const isOld = !start.includes(newline) && start.includes(carriageReturn);
  const written = (bytes: Uint8Array): Uint8Array =>
    isOld ? bytes.map((byte) => (byte === carriageReturn ? newline : byte)) : bytes;
  yield written(start);
  for (next = await chunks.next(); !next.done; next = await chunks.next()) yield written(next.value);
}

/**
 * Chunks that end with a line, except the last one of a file. A line of more than `maxLineBytes` becomes `longLine`.
 * `isQuoted`: lines are records of CSV, whose quoted fields may contain line breaks.
 */
export async function* wholeLines(
  chunks: AsyncIterable<Uint8Array>,
  isQuoted = false,
): AsyncGenerator<Uint8Array> {
  let [quotes, held, heldBytes, isLong] = [0, [] as Uint8Array[], 0, false];
  /** The end of the line that goes on at `from`; 0 if it does not end in the chunk. */
  const endOf = (chunk: Uint8Array, from: number): number => {
    if (!isQuoted) return chunk.indexOf(newline, from) + 1;
    for (let i = from; i < chunk.length; i++)
      if (chunk[i] === quote) quotes++;
      else if (chunk[i] === newline && quotes % 2 === 0) return i + 1;
    return 0;
  };
  for await (const chunk of chunks) {
    // `from`: start of what was not yielded; `at`: start of the next line.
    let [from, at] = [0, 0];
    for (let end = endOf(chunk, 0); end > 0; end = endOf(chunk, end)) {
      if (heldBytes + end - at > maxLineBytes || isLong) {
        if (at > from) yield chunk.subarray(from, at);
        yield concatBytes([longBytes, chunk.subarray(end - 1, end)]);
        from = end;
      } else if (held.length > 0) {
        yield concatBytes([...held, chunk.subarray(0, end)]);
        from = end;
      }
      [at, held, heldBytes, isLong] = [end, [], 0, false];
    }
    if (at > from) yield chunk.subarray(from, at);
    if (at === chunk.length) continue;
    heldBytes += chunk.length - at;
    isLong ||= heldBytes > maxLineBytes;
    held = isLong ? [] : [...held, chunk.slice(at)];
  }
  if (isLong) yield longBytes;
  else if (held.length > 0) yield concatBytes(held);
}
