// File and Blob objects beside the files of a host.

import { expect, it } from 'vitest';
import { openBlob, openStream, readText, writeText } from '../../src/files/files.ts';
import { GivenFiles } from '../../src/files/given-files.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { zipParts } from '../../src/files/zip.ts';
import { errorAbout } from '../support/expect-error.ts';

const named = (name: string, text: string) => new File([text], name);

it('has given files beside those of the host', async () => {
  const base = memoryFiles();
  await writeText(base, 'a.tsv', 'host');
  const given = new GivenFiles(base);
  const { files } = given;
  const file = named('a.tsv', 'given');
  const path = given.path(file);
  expect([path, given.path(file), given.path('a.tsv')]).toEqual(['<File>/a.tsv', path, 'a.tsv']);
  expect([await readText(files, path), await readText(files, 'a.tsv')]).toEqual(['given', 'host']);
  expect(await (await openBlob(files, path)).text()).toBe('given');
  expect(await new Response(await openStream(files, path)).text()).toBe('given');
  expect([await files.size?.(path), await files.exists(path), await files.exists('<File>/b')]).toEqual([
    ...[5, true, false],
  ]);
  const other = given.path(named('a.tsv', 'other'));
  expect([other, await readText(files, other)]).toEqual(['<File 2>/a.tsv', 'other']);
  await writeText(files, 'b.tsv', 'new');
  expect(await readText(base, 'b.tsv')).toBe('new');
});

it('has the files of a folder and of archives', async () => {
  const given = new GivenFiles(memoryFiles());
  const folder = await given.folder([named('config.json', '{}'), named('b', '')]);
  expect(await given.files.list(folder)).toEqual(['config.json', 'b']);
  const second = await given.folder([named('config.json', '[]')]);
  expect([second === folder, await readText(given.files, `${second}/config.json`)]).toEqual([false, '[]']);
  const archive = zipParts({ 'config.json': new TextEncoder().encode('{}') }) as Uint8Array<ArrayBuffer>[];
  expect(await given.folder(new Blob(archive))).toBe('<File>/Blob');
  const zip = [new File(archive, 'm.zip')];
  expect([await given.folder(zip), await given.folder(zip)]).toEqual(['<File>/m.zip', '<File>/m.zip']);
  expect(await given.files.list('<File>/m.zip')).toEqual(['config.json']);
  await expect(given.folder(new Blob(['text']))).rejects.toThrow(errorAbout({ area: 'Blob' }));
  await expect(given.folder([named('a', ''), named('a', '')])).rejects.toThrow(errorAbout({ values: ['a'] }));
  await expect(given.folder([])).rejects.toThrow(
    errorAbout({
      template: 'give a path, a File or Blob with an archive, or an array with the files of a folder',
    }),
  );
});

it('does not change given files, and names those that are missing', async () => {
  const given = new GivenFiles(memoryFiles());
  const path = given.path(named('a', 'text'));
  for (const change of [
    given.files.write(path, new Uint8Array()),
    given.files.remove(path),
    given.files.rename(path, 'b'),
    given.files.rename('b', path),
  ])
    await expect(change).rejects.toThrow(errorAbout({ area: '<File>/a' }));
  await expect(given.files.read('<File>/c')).rejects.toThrow(
    errorAbout({ kind: 'not-found', area: '<File>/c' }),
  );
  await expect(given.files.list(path)).rejects.toThrow(errorAbout({ area: '<File>/a' }));
});
