// Reads the lines of files, stdin or a terminal in groups.

import { HeddleError } from '../core/errors.ts';
import { openStream } from '../files/files.ts';
import { nodeFiles } from '../host/node-files.ts';

/** A stream of texts. */
export interface TextInput {
  /** The texts that are available, at least one and at most `maxTexts`; undefined at the end. */
  next(): Promise<readonly string[] | undefined>;
}

/** A list of texts as an input. */
export function listInput(texts: readonly string[], maxTexts: number): TextInput {
  let at = 0;
  return {
    async next() {
      if (at >= texts.length) return undefined;
      at += maxTexts;
      return texts.slice(at - maxTexts, at);
    },
  };
}

/** The lines of files; `-` is stdin. Throws a HeddleError for a line that is not UTF-8. */
export function lineInput(paths: readonly string[], maxTexts: number): TextInput {
  const chunks = linesOf(paths);
  let lines: string[] = [];
  return {
    async next() {
      while (lines.length === 0) {
        const { value, done } = await chunks.next();
        if (done) return undefined;
        lines = value;
      }
      return lines.splice(0, maxTexts);
    },
  };
}

/** The lines of files, in groups of those that a chunk of the stream completes. */
async function* linesOf(paths: readonly string[]): AsyncGenerator<string[], void, void> {
  const files = nodeFiles();
  for (const path of paths) {
    const utf8 = new TextDecoder('utf-8', { fatal: true });
    const name = path === '-' ? 'stdin' : path;
    let [rest, line] = ['', 1];
    const decode = (bytes?: Uint8Array): string => {
      try {
        return utf8.decode(bytes, { stream: bytes !== undefined });
      } catch {
        throw new HeddleError(`${name}: not UTF-8 after line ${line - 1}; convert it, for example with iconv -t UTF-8`);
      }
    };
    for await (const bytes of await openStream(files, path)) {
      const lines = (rest + decode(bytes)).split('\n');
      rest = lines.pop() ?? '';
      line += lines.length;
      if (lines.length > 0) yield lines.map((text) => text.replace(/\r$/, ''));
    }
    rest += decode();
    if (rest !== '') yield [rest.replace(/\r$/, '')];
  }
}
