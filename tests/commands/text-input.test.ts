// Lines of files for translations: of every system, in chunks of any size.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { linesOf } from '../../src/commands/text-input.ts';
import { type Message, renderMessage } from '../../src/core/message.ts';
import { errorAbout } from '../support/expect-error.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-lines-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function lines(text: string): Promise<string[]> {
  const path = join(folder, 'lines.txt');
  writeFileSync(path, text);
  const all: string[] = [];
  for await (const group of linesOf([path])) all.push(...group);
  return all;
}

it.each([
  ['LF', '\n'],
  ['CR LF', '\r\n'],
  ['CR', '\r'],
])('splits at %s, also between chunks', async (_, end) => {
  for (const start of ['a', 'a'.repeat(2 ** 18 - 1), 'a'.repeat(2 ** 18)])
    for (const last of ['', end])
      expect(await lines([start, '', 'b c', 'd'].join(end) + last)).toEqual([start, '', 'b c', 'd']);
});

it('keeps a CR inside of a line', async () => {
  expect(await lines('a\rb\nc\n')).toEqual(['a\rb', 'c']);
});

it('leaves out a line that is too long, and names the first line that is not UTF-8', async () => {
  const path = join(folder, 'lines.txt');
  const read = async (bytes: Buffer, warn: (message: Message) => void = () => {}) => {
    writeFileSync(path, bytes);
    const all: string[] = [];
    for await (const group of linesOf([path], warn)) all.push(...group);
    return all;
  };
  const warnings: string[] = [];
  const long = 'x'.repeat(2 ** 20 + 1);
  expect(
    await read(Buffer.from(`a\n${long}\nb\n`), (message) => warnings.push(renderMessage(message))),
  ).toEqual(['a', '', 'b']);
  expect(warnings).toEqual([`${path}: 1 bad line: 2 (longer than 1 MiB)`]);
  const start = `${'one\n'.repeat(40_000)}two\nthree `;
  const damaged = Buffer.concat([Buffer.from(start), Buffer.from([0xff]), Buffer.from('\nfour\n')]);
  await expect(read(damaged)).rejects.toThrow(errorAbout({ area: expect.stringMatching(/\blines\.txt$/) }));
});
