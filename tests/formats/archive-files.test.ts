// Archives that stand for model folders.
import { expect, it } from 'vitest';
import { archiveFiles, joined, packFolder, unpackModel } from '../../src/formats/archive-files.ts';
import { readText, writeText } from '../../src/formats/files.ts';
import { memoryFiles } from '../../src/formats/memory-files.ts';
import { zipParts } from '../../src/formats/zip.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

it('writes a folder as an archive and reads it as a folder', async () => {
  const disk = memoryFiles();
  const files = archiveFiles(disk);
  for (const text of ['one', 'two']) {
    await writeText(files, 'runs/m.zip.partial/config.json', text);
    await writeText(files, 'runs/m.zip.partial/state.json', `${text}!`);
    await files.rename('runs/m.zip.partial', 'runs/m.zip');
    expect(await disk.list('runs')).toEqual(['m.zip']);
    expect(await readText(files, 'runs/m.zip/config.json')).toBe(text);
    expect(await readText(files, 'runs/m.zip/state.json')).toBe(`${text}!`);
  }
  expect(await files.list('runs/m.zip')).toEqual(['config.json', 'state.json']);
  expect(await files.exists('runs/m.zip/none')).toBe(false);
  expect(await files.exists('runs/m.zip')).toBe(true);
  await writeText(files, 'runs/m.zip/log.jsonl', 'more');
  const again = archiveFiles(disk);
  expect(await again.list('runs/m.zip')).toEqual(['config.json', 'log.jsonl', 'state.json']);
  await expect(files.read('runs/m.zip/none')).rejects.toThrow('cannot read: there is no such file');
});

it('leaves everything else as it is, folders with such a name too', async () => {
  const disk = memoryFiles();
  const files = archiveFiles(disk);
  await writeText(files, 'old.zip/config.json', 'folder');
  expect(await readText(files, 'old.zip/config.json')).toBe('folder');
  await files.rename('old.zip', 'new');
  expect(await readText(disk, 'new/config.json')).toBe('folder');
  await writeText(disk, 'a.txt', 'x');
  await files.rename('a.txt', 'b.txt');
  expect(await readText(files, 'b.txt')).toBe('x');
  await files.remove('new');
  expect(await files.exists('new/config.json')).toBe(false);
});

it('takes archives whose files lie in a folder, and refuses those without a model', async () => {
  const inner = { 'm/config.json': bytes('{}'), 'm/deep/x': bytes('no'), 'other/config.txt': bytes('no') };
  expect(await unpackModel(joined(zipParts(inner)), 'm.zip')).toEqual({ 'config.json': bytes('{}') });
  const none = joined(zipParts({ 'readme.txt': bytes('hello') }));
  await expect(unpackModel(none, 'm.zip')).rejects.toThrow('m.zip: there is no config.json in it, so it is no model');
});

it('packs the files of a folder', async () => {
  const disk = memoryFiles();
  await writeText(disk, 'm/config.json', '{}');
  expect(await unpackModel(joined(await packFolder(disk, 'm')), 'm.zip')).toEqual({ 'config.json': bytes('{}') });
});
