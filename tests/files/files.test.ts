// Files that are written together: all of them or none.
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { HeddleError } from '../../src/core/errors.ts';
import { type Files, readText, writeText, writeTogether } from '../../src/files/files.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { nodeFiles } from '../../src/host/node-files.ts';
import { scratch } from '../support/cli.ts';
import { errorAbout } from '../support/expect-error.ts';

const text = (value: string) => new TextEncoder().encode(value);

it('replaces none if one cannot be written, and leaves no other file', async () => {
  const entries = new Map<string, Uint8Array>();
  const memory = memoryFiles(entries);
  let room = 1;
  const files: Files = {
    ...memory,
    async write(path, bytes) {
      if (room-- === 0)
        throw new HeddleError('cannot write: no space is left', { kind: 'quota', area: path });
      await memory.write(path, bytes);
    },
  };
  for (const name of ['a.model', 'a.json']) await writeText(memory, `out/${name}`, 'old');
  const parts = { 'out/a.model': text('new'), 'out/a.json': text('new') };
  await expect(writeTogether(files, parts)).rejects.toThrow(
    errorAbout({ kind: 'quota', area: 'out/a.json' }),
  );
  expect(await memory.list('out')).toEqual(['a.json', 'a.model']);
  expect(await readText(memory, 'out/a.model')).toBe('old');
  room = 2;
  await writeTogether(files, parts);
  expect(await memory.list('out')).toEqual(['a.json', 'a.model']);
  for (const name of ['a.model', 'a.json']) expect(await readText(memory, `out/${name}`)).toBe('new');
});

it('writes through links and to devices', async () => {
  const [file, link] = ['together.txt', 'together-link.txt'].map((name) => join(scratch(), name)) as [
    string,
    string,
  ];
  writeFileSync(file, 'old');
  symlinkSync(file, link);
  await writeTogether(nodeFiles(), { [link]: text('new'), '/dev/null': text('x') });
  expect(await readText(nodeFiles(), file)).toBe('new');
});
