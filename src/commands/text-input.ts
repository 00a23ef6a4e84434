// Reads the lines of files, stdin or a terminal in groups.

import { HeddleError } from '../core/errors.ts';
import { openStream } from '../files/files.ts';
import { nodeFiles } from '../host/node-files.ts';

/** Groups of the texts that are available: at least one and at most `maxTexts` in each. */
export async function* textGroups(
  available: Iterable<readonly string[]> | AsyncIterable<readonly string[]>,
  maxTexts: number,
): AsyncGenerator<readonly string[], undefined> {
  for await (const texts of available)
    for (let at = 0; at < texts.length; at += maxTexts) yield texts.slice(at, at + maxTexts);
  return undefined;
}

/**
 * The lines of files, in groups of those that a chunk of the stream completes; `-` is stdin. Throws a
 * HeddleError for a line that is not UTF-8.
 */
export async function* linesOf(paths: readonly string[]): AsyncGenerator<readonly string[]> {
  const files = nodeFiles();
  for (const path of paths) {
    const utf8 = new TextDecoder('utf-8', { fatal: true });
    const name = path === '-' ? 'stdin' : path;
    let [rest, line] = ['', 1];
    const decode = (bytes?: Uint8Array): string => {
      try {
        return utf8.decode(bytes, { stream: bytes !== undefined });
      } catch {
        throw new HeddleError(
          `${name}: not UTF-8 after line ${line - 1}; convert it, for example with iconv -t UTF-8`,
        );
      }
    };
    for await (const bytes of await openStream(files, path)) {
      const text = rest + decode(bytes);
      // In a file without \n, as of old Macs, \r ends a line. At the end of a chunk it may be the start of \r\n.
      const lines = text.split(text.includes('\n') ? '\n' : /\r(?!$)/);
      rest = lines.pop() ?? '';
      line += lines.length;
      if (lines.length > 0) yield lines.map((text) => text.replace(/\r$/, ''));
    }
    rest += decode();
    if (rest !== '') yield [rest.replace(/\r$/, '')];
  }
}
