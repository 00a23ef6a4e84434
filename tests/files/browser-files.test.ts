// Files in the browser's storage (OPFS): the interface Files, and atomic writes if the tab is closed at any
// moment.
import { describe, expect, it } from 'vitest';
import { browserFiles } from '../../src/files/browser-files.ts';
import { appendFile, readText, writeText } from '../../src/files/files.ts';
import { writeFolder } from '../../src/files/owned-folder.ts';
import { settledFolder } from '../../src/files/settled-folder.ts';
import { errorAbout } from '../support/expect-error.ts';
import { fakeDisk } from '../support/fake-opfs.ts';

const encoded = (text: string) => new TextEncoder().encode(text);
const save = (files: ReturnType<typeof browserFiles>, folder: string, text: string): Promise<void> =>
  writeFolder(
    files,
    folder,
    Object.fromEntries(['a.json', 'b.bin'].map((name) => [name, encoded(`${text} ${name}`)])),
  );
const load = async (files: ReturnType<typeof browserFiles>, folder: string) => [
  await settledFolder(files, folder).then((at) => readText(files, `${at}/a.json`)),
  await readText(files, `${folder}/b.bin`),
];
const whole = (text: string) => [`${text} a.json`, `${text} b.bin`];

describe.each([{ moves: true }, { moves: false }])('with FileSystemFileHandle.move: $moves', ({ moves }) => {
  it('writes a file in parts, which is there when all are written', async () => {
    const files = browserFiles(fakeDisk({ moves }).open());
    async function* parts(fails: boolean) {
      yield new TextEncoder().encode('one ');
      expect(await files.exists('a/b.txt')).toBe(false);
      if (fails) throw new Error('cut off');
      yield new TextEncoder().encode('two');
    }
    await expect(files.writeParts('a/b.txt', parts(true))).rejects.toThrow(
      errorAbout({ area: 'a/b.txt', values: ['cut off'] }),
    );
    expect(await files.exists('a/b.txt')).toBe(false);
    await files.writeParts('a/b.txt', parts(false));
    expect(await readText(files, 'a/b.txt')).toBe('one two');
  });

  it.each([true, false])('appends to a file (in place: %s)', async (inPlace) => {
    const disk = fakeDisk({ moves, inPlace });
    const files = browserFiles(disk.open());
    for (const text of ['one ', 'two ', 'three']) await appendFile(files, 'a/b.txt', encoded(text));
    expect(await readText(files, 'a/b.txt')).toBe('one two three');
    await expect(appendFile(browserFiles(disk.open(0)), 'a/b.txt', encoded('four'))).rejects.toThrow(
      errorAbout({ area: 'a/b.txt', values: ['append'] }),
    );
    expect(await readText(files, 'a/b.txt')).toBe('one two three');
  });

  it('reads, lists and removes what was written', async () => {
    const files = browserFiles(fakeDisk({ moves }).open());
    await writeText(files, 'models/x/deep/a.txt', 'one');
    await writeText(files, 'models/x/b.txt', 'two');
    expect(await files.list('models/x')).toEqual(['b.txt', 'deep']);
    expect(await files.exists('models/x/deep')).toBe(true);
    expect(await files.exists('models/x/b.txt/none')).toBe(false);
    await files.rename('models/x/b.txt', 'models/y/c.txt');
    expect(await readText(files, 'models/y/c.txt')).toBe('two');
    expect(await files.exists('models/x/b.txt')).toBe(false);
    await files.remove('models/x');
    await files.remove('models/x');
    expect(await files.list('models')).toEqual(['y']);
    await expect(files.read('models/x/b.txt')).rejects.toThrow(
      errorAbout({ kind: 'not-found', area: 'models/x/b.txt' }),
    );
    await expect(files.list('models/x')).rejects.toThrow(errorAbout({ kind: 'not-found', area: 'models/x' }));
    await expect(files.rename('nothing', 'models/z')).rejects.toThrow(
      errorAbout({ kind: 'not-found', area: 'nothing', values: ['models/z'] }),
    );
  });

  it('replaces a folder atomically, and writes into an existing one', async () => {
    const files = browserFiles(fakeDisk({ moves }).open());
    for (const text of ['first', 'second', 'third']) await save(files, 'models/x', text);
    expect(await load(files, 'models/x')).toEqual(whole('third'));
    expect(await files.list('models')).toEqual(['x']);
    await writeText(files, 'models/x/log.jsonl', 'more');
    expect(await files.list('models/x')).toEqual(['a.json', 'b.bin', 'heddle-manifest.json', 'log.jsonl']);
    const { length } = await files.read('models/x/heddle-manifest.json');
    expect(await files.facts('models/x')).toEqual({
      bytes: 'third a.jsonthird b.binmore'.length + length,
      time: 1000,
    });
    // A folder can be renamed with its files, but not to the name of another.
    await files.rename('models/x', 'models/y');
    expect(await files.list('models')).toEqual(['y']);
    expect(await readText(files, 'models/y/log.jsonl')).toBe('more');
    await save(files, 'models/x', 'new');
    await expect(files.rename('models/x', 'models/y')).rejects.toThrow(errorAbout({ area: 'models/y' }));
  });

  it('has the complete old or new folder, whenever the tab is closed', async () => {
    let kills = 0;
    for (let killAfter = 0; ; killAfter++) {
      const disk = fakeDisk({ moves });
      await save(browserFiles(disk.open()), 'models/x', 'old');
      const done = await save(browserFiles(disk.open(killAfter)), 'models/x', 'new').then(
        () => true,
        () => false,
      );
      const files = browserFiles(disk.open());
      const found = await load(files, 'models/x');
      expect([whole('old'), whole('new')]).toContainEqual(found);
      // The next save works.
      await save(files, 'models/x', 'next');
      expect(await load(files, 'models/x')).toEqual(whole('next'));
      expect(await files.list('models')).toEqual(['x']);
      if (done) break;
      kills++;
    }
    expect(kills).toBeGreaterThan(8);
  });

  it('has a complete folder or none if the tab is closed during the first save', async () => {
    for (let killAfter = 0; ; killAfter++) {
      const disk = fakeDisk({ moves });
      const done = await save(browserFiles(disk.open(killAfter)), 'models/x', 'new').then(
        () => true,
        () => false,
      );
      const files = browserFiles(disk.open());
      await settledFolder(files, 'models/x');
      if (await files.exists('models/x/a.json')) expect(await load(files, 'models/x')).toEqual(whole('new'));
      if (done) break;
    }
  });

  it('reads and writes a folder of an earlier version, in its current generation', async () => {
    const disk = fakeDisk({ moves });
    const files = browserFiles(disk.open());
    await writeText(files, 'models/x/.g2/a.json', 'old a.json');
    await writeText(files, 'models/x/.current', '.g2');
    expect(await readText(files, 'models/x/a.json')).toBe('old a.json');
    await writeFolder(
      files,
      'models/x',
      { 'b.bin': new TextEncoder().encode('new b.bin') },
      { beside: true },
    );
    expect(await files.list('models/x')).toEqual(['a.json', 'b.bin', 'heddle-manifest.json']);
  });
});

it('removes a folder: a part of it is no model', async () => {
  for (let killAfter = 0; ; killAfter++) {
    const disk = fakeDisk();
    await save(browserFiles(disk.open()), 'models/x', 'old');
    const done = await browserFiles(disk.open(killAfter))
      .remove('models/x')
      .then(
        () => true,
        () => false,
      );
    const files = browserFiles(disk.open());
    if (await files.exists('models/x/a.json')) expect(await load(files, 'models/x')).toEqual(whole('old'));
    if (done) break;
  }
});

it('reads and lists a folder again if another tab replaces its files meanwhile, at most four times', async () => {
  const disk = fakeDisk();
  const files = browserFiles(disk.open());
  await writeText(files, 'models/x/.g1/a.json', 'text');
  await writeText(files, 'models/x/.current', '.g1');
  for (const ask of [
    () => files.exists('models/x'),
    () => files.list('models'),
    () => files.facts('models/x'),
    () => files.read('models/x/a.json'),
  ]) {
    disk.replaced = 3;
    await ask();
    expect(disk.replaced).toBe(0);
  }
  disk.replaced = 4;
  await expect(files.list('models')).rejects.toThrow(errorAbout({ area: 'models', values: ['list'] }));
  expect(disk.replaced).toBe(0);
});

it('reports that the storage is full, and keeps the old files', async () => {
  const disk = fakeDisk();
  const files = browserFiles(disk.open());
  await save(files, 'models/x', 'old');
  disk.quota = 700;
  const error = await save(files, 'models/x', 'x'.repeat(500)).catch((e: unknown) => e);
  expect(error).toEqual(errorAbout({ kind: 'quota', area: 'models/x/a.json', values: ['write'] }));
  expect((error as Error).message).toMatch(/^models\/x\/a\.json: cannot write: the browser has no room left/);
  expect(await load(files, 'models/x')).toEqual(whole('old'));
  expect(await files.list('models/x')).toEqual(['a.json', 'b.bin', 'heddle-manifest.json']);
});
