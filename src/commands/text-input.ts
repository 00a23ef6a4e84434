// Reads the lines of files, stdin or a terminal in groups.

import { type Message, msg, renderMessage } from '../core/message.ts';
import { openStream } from '../files/files.ts';
import { decodeUtf8 } from '../files/utf8.ts';
import { nodeFiles } from '../host/node-files.ts';
import { longLine, wholeLines, withNewlines } from '../text/corpus/line-chunks.ts';
import { type BadLine, describeBad, linesOf as textLines } from '../text/corpus/pair-records.ts';
import { log } from './output.ts';

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
 * The lines of files, in groups of those that a chunk of the stream completes; `-` is stdin. A line of more than 1 MiB
 * is empty, and `warn` gets a message. Throws a HeddleError that names the first line that is not UTF-8.
 */
export async function* linesOf(
  paths: readonly string[],
  warn: (message: Message) => void = (message) => log(renderMessage(message)),
): AsyncGenerator<readonly string[]> {
  const files = nodeFiles();
  for (const path of paths) {
    const name = path === '-' ? 'stdin' : path;
    const bytes = (await openStream(files, path)) as unknown as AsyncIterable<Uint8Array>;
    const bad: BadLine[] = [];
    let line = 1;
    for await (const chunk of wholeLines(withNewlines(bytes))) {
      const lines = textLines(decodeUtf8(chunk, name, line));
      for (const [i, text] of lines.entries())
        if (text === longLine) bad.push({ line: line + i, reason: 'longer than 1 MiB' });
      line += lines.length;
      if (lines.length > 0) yield lines.map((text) => (text === longLine ? '' : text.replace(/\r$/, '')));
    }
    const problems = describeBad(bad);
    if (problems) warn(msg`${name}: ${problems}`);
  }
}
