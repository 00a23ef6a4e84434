// Folders that heddle writes: what others put there is never touched, and a replacement that is interrupted at
// any file operation leaves the whole old or the whole new files.
import { describe, expect, it } from 'vitest';
import { archiveFiles } from '../../src/files/archive-files.ts';
import { browserFiles } from '../../src/files/browser-files.ts';
import { type Files, readText, writeText } from '../../src/files/files.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import {
  checkWritableFolder,
  copyFolder,
  foreignFiles,
  moveIntoFolder,
  readManifest,
  removeOwnFolder,
  writeFolder,
} from '../../src/files/owned-folder.ts';
import { settledFolder } from '../../src/files/settled-folder.ts';
import { verifyFolder } from '../../src/files/verified-files.ts';

import { nodeFiles } from '../../src/host/node-files.ts';
import { scratch } from '../support/cli.ts';
import { errorAbout } from '../support/expect-error.ts';
import { fakeDisk } from '../support/fake-opfs.ts';
import { Faults, faultWays, faultyFiles } from '../support/faults.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const parts = (text: string, ...names: string[]) =>
  Object.fromEntries(names.map((name) => [name, bytes(`${text} ${name}`)]));

let disks = 0;
/** Faults at each operation take seconds: `npm test` has the crash. */
const ways = process.env.HEDDLE_FULL ? faultWays : faultWays.slice(0, 1);

const storages: [name: string, open: () => { readonly files: Files; readonly at: string }][] = [
  ['memory', () => ({ files: memoryFiles(), at: 'runs/m' })],
  ['a disk', () => ({ files: nodeFiles(), at: `${scratch()}/${disks++}/m` })],
  ["the browser's storage", () => ({ files: browserFiles(fakeDisk().open()), at: 'models/m' })],
];

/** Files of the user in a folder of heddle; the last names begin as the hidden folder of a replacement does. */
const mine = ['notes.txt', '.gitignore', 'data/mine', 'plots/x/y.png', '.heddle-notes', '.heddle-mine/a'];

describe.each(storages)('in %s', (_, open) => {
  it.each(ways)(
    'a replacement with a fault (%s) leaves all files of others, and the whole old or new files',
    async (way) => {
      for (let after = 0, happened = true; happened; after++) {
        const { files, at } = open();
        await writeFolder(files, at, parts('old', 'config.json', 'weights', 'data/a', 'data/gone'), {
          run: 'r',
        });
        for (const name of mine) await writeText(files, `${at}/${name}`, name);
        const next = parts('new', 'config.json', 'weights', 'data/a', 'added');
        const faults = new Faults(way, after);
        const done = await writeFolder(faultyFiles(files, faults), at, next).then(
          () => true,
          () => false,
        );
        happened = faults.happened;
        await settledFolder(files, at);
        for (const name of mine)
          expect(await readText(files, `${at}/${name}`), `operation ${after}`).toBe(name);
        const texts = await Promise.all(
          ['config.json', 'weights', 'data/a'].map((name) => readText(files, `${at}/${name}`)),
        );
        const [first = ''] = (texts[0] as string).split(' ');
        expect(texts, `operation ${after}`).toEqual([
          `${first} config.json`,
          `${first} weights`,
          `${first} data/a`,
        ]);
        expect(await files.exists(`${at}/added`), `operation ${after}`).toBe(first === 'new');
        expect(await files.exists(`${at}/data/gone`), `operation ${after}`).toBe(first === 'old');
        await verifyFolder(files, at);
        expect((await foreignFiles(files, at)).sort()).toEqual([
          '.gitignore',
          '.heddle-mine',
          '.heddle-notes',
          'data/mine',
          'notes.txt',
          'plots',
        ]);
        // The next replacement works, and cleans up.
        await writeFolder(files, at, next);
        expect((await files.list(at)).filter((name) => /^\.heddle/.test(name))).toEqual([
          '.heddle-mine',
          '.heddle-notes',
        ]);
        if (done) expect(first, `operation ${after}`).toBe('new');
        if (!happened) expect([done, after > 30]).toEqual([true, true]);
      }
    },
  );

  it('a folder of others is refused by name, and written beside on request', async () => {
    const { files, at } = open();
    await writeText(files, `${at}/main.ts`, 'code');
    await writeText(files, `${at}/lib/a.ts`, 'code');
    const write = (beside?: boolean) => writeFolder(files, at, parts('new', 'config.json'), { beside });
    await expect(write()).rejects.toThrow(errorAbout({ area: at, values: ['lib, main.ts'] }));
    expect((await files.list(at)).sort()).toEqual(['lib', 'main.ts']);
    await write(true);
    expect((await files.list(at)).sort()).toEqual(['config.json', 'heddle-manifest.json', 'lib', 'main.ts']);
    await write(); // it is heddle's folder now
    expect(await readText(files, `${at}/main.ts`)).toBe('code');
  });

  it('a file of others is never replaced, whatever is asked', async () => {
    const { files, at } = open();
    await writeText(files, `${at}/config.json`, 'mine');
    const write = writeFolder(files, at, parts('new', 'config.json', 'b'), { beside: true });
    await expect(write).rejects.toThrow(errorAbout({ values: ['config.json'] }));
    expect(await files.list(at)).toEqual(['config.json']);
    expect(await readText(files, `${at}/config.json`)).toBe('mine');
  });

  it('removing leaves the files of others', async () => {
    const { files, at } = open();
    await writeFolder(files, at, parts('old', 'config.json', 'data/a'));
    await writeText(files, `${at}/notes.txt`, 'mine');
    expect(await removeOwnFolder(files, at)).toEqual(['notes.txt']);
    expect(await files.list(at)).toEqual(['notes.txt']);
    await files.remove(`${at}/notes.txt`);
    await writeFolder(files, at, parts('new', 'config.json'));
    expect(await removeOwnFolder(files, at)).toEqual([]);
    expect(await files.exists(at)).toBe(false);
  });

  it('a changed, cut or missing file is named', async () => {
    const { files, at } = open();
    await writeFolder(files, at, parts('old', 'config.json', 'weights'));
    await verifyFolder(files, at);
    for (const text of ['old weightz', 'old weight', '']) {
      await writeText(files, `${at}/weights`, text);
      await expect(verifyFolder(files, at)).rejects.toThrow(errorAbout({ values: ['heddle-manifest.json'] }));
    }
    await verifyFolder(files, at, (name) => name === 'config.json');
    await files.remove(`${at}/weights`);
    await expect(verifyFolder(files, at)).rejects.toThrow(errorAbout({ area: `${at}/weights` }));
  });

  it.each(ways)(
    'a download is moved to its place with a fault (%s), beside the files of others',
    async (way) => {
      for (let after = 0, happened = true; happened; after++) {
        const { files, at } = open();
        await writeText(files, `${at}/notes.txt`, 'mine');
        for (const name of ['config.json', 'weights'])
          await writeText(files, `${at}.part/${name}`, `new ${name}`);
        const faults = new Faults(way, after);
        const done = await moveIntoFolder(faultyFiles(files, faults), `${at}.part`, at, {
          beside: true,
        }).then(
          () => true,
          () => false,
        );
        happened = faults.happened;
        await settledFolder(files, at);
        expect(await readText(files, `${at}/notes.txt`)).toBe('mine');
        const arrived = await Promise.all(
          ['config.json', 'weights'].map((name) => files.exists(`${at}/${name}`)),
        );
        expect(arrived[0], `operation ${after}`).toBe(arrived[1]);
        if (done) await verifyFolder(files, at);
        expect(done || happened).toBe(true);
      }
    },
  );
});

it('keeps the other files of heddle, and the run, if a folder is updated', async () => {
  const files = memoryFiles();
  await writeFolder(files, 'm', parts('old', 'config.json', 'log'), { run: 'r' });
  await writeFolder(files, 'm', parts('new', 'log'), { update: true });
  expect(await readText(files, 'm/config.json')).toBe('old config.json');
  expect(await readManifest(files, 'm')).toMatchObject({ run: 'r', files: { 'config.json': {}, log: {} } });
  await verifyFolder(files, 'm');
  await copyFolder(files, 'm', files, 'copy');
  expect((await readManifest(files, 'copy'))?.run).toBe('r');
});

it('keeps the run of a manifest among the files to write, and writes a manifest of its own', async () => {
  const files = memoryFiles();
  await writeFolder(files, 'm', parts('old', 'config.json'), { run: 'r' });
  const copied = {
    'config.json': bytes('new'),
    'heddle-manifest.json': await files.read('m/heddle-manifest.json'),
  };
  await writeFolder(files, 'n', copied);
  expect(await readManifest(files, 'n')).toMatchObject({ run: 'r', files: { 'config.json': { size: 3 } } });
  await verifyFolder(files, 'n');
});

it('adopts folders of heddle that have no manifest, and their files only', async () => {
  const files = memoryFiles();
  await writeText(files, 'm/config.json', '{"format":"heddle"}');
  await writeText(files, 'm/model.safetensors', 'old');
  await writeText(files, 'm/notes.txt', 'mine');
  expect(await foreignFiles(files, 'm')).toEqual(['notes.txt']);
  await writeFolder(files, 'm', parts('new', 'config.json'));
  expect(await files.list('m')).toEqual(['config.json', 'heddle-manifest.json', 'notes.txt']);
});

it('leaves a log and a report beside a model without a manifest: only checkpoints have them', async () => {
  for (const isState of [true, false]) {
    const files = memoryFiles();
    await writeText(files, 'm/config.json', '{"format":"heddle"}');
    const names = ['log.jsonl', 'pairs.tsv', 'report.html'];
    for (const name of names) await writeText(files, `m/${name}`, 'mine');
    if (isState) await writeText(files, 'm/state.json', '{"version":1,"step":3,"engine":"cpu"}');
    const left = isState ? ['pairs.tsv'] : names;
    expect((await foreignFiles(files, 'm')).sort()).toEqual(left);
    await writeFolder(files, 'm', parts('new', 'config.json'));
    for (const name of left) expect(await readText(files, `m/${name}`)).toBe('mine');
  }
});

it('a flipped bit anywhere in the manifest is found, and blamed on the manifest', async () => {
  const files = memoryFiles();
  await writeFolder(files, 'm', parts('old', 'config.json', 'weights'), { run: 'r' });
  const whole = await files.read('m/heddle-manifest.json');
  const before = await readManifest(files, 'm');
  for (let at = 0; at < whole.length; at++)
    for (const bit of [1, 4, 32]) {
      const flipped = whole.slice();
      flipped[at] = (flipped[at] as number) ^ bit;
      await files.write('m/heddle-manifest.json', flipped);
      const read = await readManifest(files, 'm').catch((error: Error) => error.message);
      if (typeof read === 'string') expect(read, `byte ${at}`).toContain('m/heddle-manifest.json: ');
      else expect([read?.run, read?.files], `byte ${at}`).toEqual([before?.run, before?.files]);
    }
});

it('replaces an archive only if all of it is heddle’s', async () => {
  const disk = memoryFiles();
  const files = archiveFiles(disk);
  const config = { 'config.json': bytes('{"format":"heddle"}') };
  await writeFolder(files, 'm.zip', { ...config, ...parts('old', 'weights') });
  await writeFolder(files, 'm.zip', { ...config, ...parts('new', 'weights') });
  expect(await readText(files, 'm.zip/weights')).toBe('new weights');
  await verifyFolder(files, 'm.zip');
  await writeFolder(files, 'm.zip', parts('newer', 'log'), { update: true });
  expect((await files.list('m.zip')).sort()).toEqual([
    'config.json',
    'heddle-manifest.json',
    'log',
    'weights',
  ]);
  await writeText(disk, 'photos.zip', 'PK no archive');
  await expect(writeFolder(files, 'photos.zip', config, { beside: true })).rejects.toThrow(
    errorAbout({ area: 'photos.zip' }),
  );
  expect(await readText(disk, 'photos.zip')).toBe('PK no archive');
});

it('does not follow names that lead out of the folder', async () => {
  for (const name of ['../secret', '/secret', 'a/../../secret', 'C:\\x', '..\\x']) {
    const files = memoryFiles();
    await writeText(
      files,
      'm/.heddle-0123456789ab/commit.json',
      JSON.stringify({ version: 1, moves: [name], removes: {} }),
    );
    await expect(settledFolder(files, 'm')).rejects.toThrow(
      errorAbout({ area: 'm/.heddle-0123456789ab/commit.json' }),
    );
    const manifest = { format: 'heddle-folder', version: 1, files: { [name]: { size: 1, sha256: '' } } };
    const other = memoryFiles();
    await writeText(other, 'm/heddle-manifest.json', JSON.stringify(manifest));
    await expect(removeOwnFolder(other, 'm')).rejects.toThrow(errorAbout({ area: 'm/heddle-manifest.json' }));
  }
});

it('a name of a folder may end in a slash, but not be empty', async () => {
  const files = memoryFiles();
  await writeFolder(files, 'm/', parts('new', 'a'));
  expect(await files.list('m')).toEqual(['a', 'heddle-manifest.json']);
  const nameless = errorAbout({ template: 'The name of the folder is empty; name a folder.' });
  await expect(writeFolder(files, '', parts('new', 'a'))).rejects.toThrow(nameless);
  await expect(checkWritableFolder(files, ' ', [])).rejects.toThrow(nameless);
});

it('does not copy a file that changed after it was written: the copy would vouch for it', async () => {
  const files = memoryFiles();
  await writeFolder(files, 'm', parts('old', 'config.json', 'weights'));
  await writeText(files, 'm/weights', 'ole weights');
  await expect(copyFolder(files, 'm', files, 'copy')).rejects.toThrow(
    errorAbout({ area: 'm/weights', values: ['heddle-manifest.json'] }),
  );
  expect(await files.exists('copy')).toBe(false);
});
