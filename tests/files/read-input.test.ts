// Files that a person names are judged by their size before they are read.
import { expect, it, vi } from 'vitest';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { readInput, readInputText } from '../../src/files/read-input.ts';
import { errorAbout } from '../support/expect-error.ts';

it('does not read a file that is too large', async () => {
  const file = new Uint8Array(8);
  const read = vi.fn(async () => file);
  const files = { ...memoryFiles(), size: async () => file.length, read };
  const refused = errorAbout({ area: 'terms.tsv', kind: 'input' });
  await expect(readInput(files, 'terms.tsv', 7)).rejects.toThrow(refused);
  expect(read).not.toHaveBeenCalled();
  await expect(readInput(files, 'terms.tsv', 8)).resolves.toBe(file);
});

it('judges a pipe, which has no size, when it is read', async () => {
  const files = memoryFiles();
  await files.write('pipe', new Uint8Array(8));
  const pipe = { ...files, size: async () => undefined };
  await expect(readInputText(pipe, 'pipe', 7)).rejects.toThrow(errorAbout({ area: 'pipe', kind: 'input' }));
});
