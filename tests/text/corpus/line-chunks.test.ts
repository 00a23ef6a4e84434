// Chunks of whole lines: lines across chunks, CR, quoted records, and lines that are too long.

import { describe, expect, it } from 'vitest';
import { longLine, maxLineBytes, wholeLines, withNewlines } from '../../../src/text/corpus/line-chunks.ts';

async function* chunksOf(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(text: string, size: number, isQuoted = false): Promise<string[]> {
  const out: string[] = [];
  for await (const chunk of wholeLines(withNewlines(chunksOf(text, size)), isQuoted))
    out.push(new TextDecoder().decode(chunk));
  return out;
}

describe('chunks of whole lines', () => {
  const text = 'one\n\ntwo words\nthree\n\n\nlast';

  it('end with a line, whatever the chunks of the file', async () => {
    for (let size = 1; size <= text.length + 1; size++) {
      const found = await read(text, size);
      expect(found.join(''), `chunks of ${size}`).toBe(text);
      for (const part of found.slice(0, -1)) expect(part.endsWith('\n')).toBe(true);
    }
    expect((await read('a\rb\rc', 2)).join('')).toBe('a\nb\nc');
    expect(await read('', 4)).toEqual([]);
  });

  it('replace a line that is too long, and keep the numbers of the others', async () => {
    const long = 'x'.repeat(maxLineBytes + 1);
    const limit = 'y'.repeat(maxLineBytes - 1);
    for (const size of [1000, 65_536, 3 * maxLineBytes]) {
      expect((await read(`a\n${long}\nb\n${limit}\n${long}\n\nc`, size)).join('').split('\n')).toEqual([
        'a',
        longLine,
        'b',
        limit,
        longLine,
        '',
        'c',
      ]);
      expect((await read(`a\n${long}`, size)).join('')).toBe(`a\n${longLine}`);
    }
  });

  it('keep quoted records together', async () => {
    const rows = `"a\nb",c\nd,"e""\n\nf"\n`;
    for (let size = 1; size <= rows.length; size++) {
      const found = await read(rows, size, true);
      expect(found.join('')).toBe(rows);
      expect(found.every((part) => part.endsWith('c\n') || part.endsWith('f"\n'))).toBe(true);
    }
    const open = `a,b\n"${'x'.repeat(maxLineBytes)}\nc,d\n`;
    expect((await read(open, 65_536, true)).join('')).toBe(`a,b\n${longLine}`);
  });
});
