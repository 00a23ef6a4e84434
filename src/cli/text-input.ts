// Lines of files, of stdin and of a terminal, as they come.

import { HeddleError } from '../core/errors.ts';
import { openStream } from '../files/files.ts';
import { nodeFiles } from '../host/node-files.ts';

/** Texts that come one after the other. */
export interface TextInput {
  /** The next texts, at least one and at most `most`: all that have come since. Undefined at the end. */
  next(): Promise<readonly string[] | undefined>;
}

/** A list of texts as an input. */
export function listInput(texts: readonly string[], most: number): TextInput {
  let at = 0;
  return {
    async next() {
      if (at >= texts.length) return undefined;
      at += most;
      return texts.slice(at - most, at);
    },
  };
}

/** The lines of files, of which `-` is stdin. Throws a HeddleError for a line that is not UTF-8. */
export function lineInput(paths: readonly string[], most: number): TextInput {
  const chunks = linesOf(paths);
  let lines: string[] = [];
  return {
    async next() {
      while (lines.length === 0) {
        const { value, done } = await chunks.next();
        if (done) return undefined;
        lines = value;
      }
      return lines.splice(0, most);
    },
  };
}

/** The lines of files, as many as a chunk completes. */
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
