// Files on disk, and the same files through the file server, with the same tests.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { httpFiles } from '../../src/commands/remote/http-files.ts';
import { archiveFiles } from '../../src/files/archive-files.ts';
import { appendFile, baseName, type Files, folderPart, readText, writeText } from '../../src/files/files.ts';
import { writeFolder } from '../../src/files/owned-folder.ts';
import { fileServer } from '../../src/host/file-server.ts';
import { nodeFiles } from '../../src/host/node-files.ts';
import { type FolderServer, serveFolder } from '../../src/host/static-server.ts';
import { distFile } from '../support/dist.ts';
import { errorAbout } from '../support/expect-error.ts';

const outer = mkdtempSync(join(tmpdir(), 'heddle-files-'));
const folder = join(outer, 'lent');
const at = (name: string) => join(folder, name);
let server: FolderServer;
let lent: Files;
let base = '';

beforeAll(async () => {
  const lending = fileServer(nodeFiles(), [folder]);
  server = await serveFolder(undefined, 0, lending.handle);
  base = new URL(lending.base, server.url).href;
  lent = httpFiles(base);
});
beforeEach(() => {
  rmSync(outer, { recursive: true });
  mkdirSync(folder, { recursive: true });
});
afterAll(async () => {
  await server.close();
  rmSync(outer, { recursive: true });
});

describe.each([
  ['on disk', () => nodeFiles()],
  ['served to a page', () => lent],
])('files %s', (_, filesOf) => {
  it('read what was written, and create folders as needed', async () => {
    const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => i % 251);
    await filesOf().write(at('a/b/ü & ?.bin'), bytes);
    expect(await filesOf().read(at('a/b/ü & ?.bin'))).toEqual(bytes);
    expect(readdirSync(at('a/b'))).toEqual(['ü & ?.bin']);
    await writeFolder(filesOf(), at('two\nlines/of\ta name'), { 'x.bin': bytes });
    expect(readFileSync(at('two\nlines/of\ta name/x.bin'))).toEqual(Buffer.from(bytes));
    expect(baseName('two\nlines/of\na name/')).toBe('of\na name');
    await writeText(filesOf(), at('empty'), '');
    expect(await readText(filesOf(), at('empty'))).toBe('');
  });

  it('take a backslash for a character of a name, as Linux does', async () => {
    await writeText(filesOf(), at('a\\b/c\\d'), 'x');
    expect(readdirSync(folder)).toEqual(['a\\b']);
    expect(readdirSync(at('a\\b'))).toEqual(['c\\d']);
    await writeFolder(filesOf(), at('m\\'), { 'x.bin': new Uint8Array(1) });
    expect(existsSync(at('m\\/x.bin'))).toBe(true);
    expect([baseName('a/b\\c/'), folderPart('a/b\\c/'), folderPart('b'), folderPart('/b')]).toEqual([
      'b\\c',
      'a/',
      '',
      '/',
    ]);
  });

  it('write behind a link whose target does not exist, and report a circle of links', async () => {
    symlinkSync('later/file', at('to-later'));
    await writeText(filesOf(), at('to-later'), 'x');
    expect(lstatSync(at('to-later')).isSymbolicLink()).toBe(true);
    expect(readFileSync(at('later/file'), 'utf8')).toBe('x');
    symlinkSync('circle-b', at('circle-a'));
    symlinkSync('circle-a', at('circle-b'));
    await expect(writeFolder(filesOf(), at('circle-a'), {})).rejects.toThrow(
      errorAbout({ area: expect.stringMatching(/\bcircle-a$/) }),
    );
  });

  it('append to a file, and create it with its folders', async () => {
    await appendFile(filesOf(), at('logs/events'), Uint8Array.of(1, 2));
    await appendFile(filesOf(), at('logs/events'), Uint8Array.of(3));
    expect(readFileSync(at('logs/events'))).toEqual(Buffer.of(1, 2, 3));
    await expect(appendFile(filesOf(), at('logs'), Uint8Array.of(1))).rejects.toThrow(
      errorAbout({ area: at('logs'), values: ['write'] }),
    );
  });

  it('test existence, and list names in order', async () => {
    for (const name of ['b', 'a', 'c']) await writeText(filesOf(), at(name), name);
    expect(await filesOf().list(folder)).toEqual(['a', 'b', 'c']);
    expect(await filesOf().exists(at('a'))).toBe(true);
    expect(await filesOf().exists(folder)).toBe(true);
    expect(await filesOf().exists(at('d'))).toBe(false);
    expect(await filesOf().exists(at('a/beyond a file'))).toBe(false);
  });

  it('rename a folder, but do not replace another', async () => {
    await writeText(filesOf(), at('model/old.txt'), 'old');
    await writeText(filesOf(), at('part/new.txt'), 'new');
    await expect(filesOf().rename(at('part'), at('model'))).rejects.toThrow(
      errorAbout({ area: at('model') }),
    );
    await filesOf().rename(at('part'), at('other'));
    expect(readdirSync(folder).sort()).toEqual(['model', 'other']);
    expect(readdirSync(at('model'))).toEqual(['old.txt']);
  });

  it('remove folders with their contents, and ignore missing ones', async () => {
    await writeText(filesOf(), at('x/y/z'), '1');
    await filesOf().remove(at('x'));
    await filesOf().remove(at('x'));
    expect(existsSync(at('x'))).toBe(false);
  });

  it('name the path and the reason of a failure', async () => {
    const files = filesOf();
    mkdirSync(at('folder'));
    await writeText(files, at('file'), '');
    const failures: [() => Promise<unknown>, 'input' | 'not-found', string][] = [
      [() => files.read(at('none')), 'not-found', 'none'],
      [() => files.read(at('folder')), 'input', 'folder'],
      [() => files.list(at('none')), 'not-found', 'none'],
      [() => files.write(at('file/x'), new Uint8Array(1)), 'input', 'file/x'],
      [() => files.write(at('folder'), new Uint8Array(1)), 'input', 'folder'],
      [() => files.rename(at('none'), at('other')), 'not-found', 'other'],
    ];
    for (const [attempt, kind, path] of failures)
      await expect(attempt()).rejects.toThrow(errorAbout({ kind, area: at(path) }));
  });
});

describe('the disk', () => {
  it('follows a link to a folder that is written, also if the folder does not exist', async () => {
    symlinkSync('real', at('link'));
    for (const name of ['a', 'b']) {
      await writeFolder(nodeFiles(), at('link'), { [name]: new Uint8Array(1) });
      expect(readdirSync(at('real'))).toEqual([name, 'heddle-manifest.json']);
      expect(lstatSync(at('link')).isSymbolicLink()).toBe(true);
    }
    expect(readdirSync(folder).sort()).toEqual(['link', 'real']);
  });

  it.skipIf(!existsSync('/proc/self'))(
    'fails immediately if the system cannot create a folder (needs /proc)',
    async () => {
      await expect(writeText(nodeFiles(), '/proc/nope/heddle/x', '')).rejects.toThrow(
        errorAbout({ kind: 'not-found', area: '/proc/nope/heddle/x', values: ['write'] }),
      );
    },
  );

  it('keeps the folder at the new name if there is nothing to rename', async () => {
    await writeText(nodeFiles(), at('model/old.txt'), 'old');
    await expect(nodeFiles().rename(at('none'), at('model'))).rejects.toThrow(
      errorAbout({ area: expect.stringMatching(/\bmodel$/), values: [expect.stringMatching(/\bnone$/)] }),
    );
    expect(readdirSync(folder)).toEqual(['model']);
    expect(readFileSync(at('model/old.txt'), 'utf8')).toBe('old');
  });

  it('writes through a link, to devices too', async () => {
    writeFileSync(at('real'), 'old');
    symlinkSync(at('real'), at('link'));
    await writeText(nodeFiles(), at('link'), 'new');
    expect(readFileSync(at('real'), 'utf8')).toBe('new');
    await writeText(nodeFiles(), '/dev/null', 'gone');
    expect(readFileSync('/dev/null', 'utf8')).toBe('');
    await expect(writeText(nodeFiles(), '/dev/full', 'x')).rejects.toThrow(
      errorAbout({ kind: 'quota', area: '/dev/full', values: ['write'] }),
    );
  });
});

describe('the file server', () => {
  it('serves only its paths', async () => {
    writeFileSync(join(outer, 'secret'), 'secret');
    mkdirSync(join(outer, 'lent-not'));
    const outside = [
      join(outer, 'secret'),
      at('../secret'),
      at('a/../../secret'),
      join(outer, 'lent-not'),
      outer,
      '/',
      '',
    ];
    for (const path of [...outside, `${folder}./../secret`, `${folder}.x/../secret`]) {
      await expect(lent.read(path), path).rejects.toThrow(errorAbout({ area: expect.any(String) }));
      await expect(lent.exists(path), path).rejects.toThrow(errorAbout({ area: path }));
      await expect(lent.remove(path), path).rejects.toThrow(errorAbout({ area: expect.any(String) }));
    }
    await expect(lent.rename(at('x'), join(outer, 'y'))).rejects.toThrow(
      errorAbout({ area: join(outer, 'y') }),
    );
    expect(readFileSync(join(outer, 'secret'), 'utf8')).toBe('secret');
  });

  it('answers only requests with its token', async () => {
    await writeText(nodeFiles(), at('x'), 'x');
    const url = `?path=${encodeURIComponent(at('x'))}`;
    expect((await fetch(base + url)).status).toBe(200);
    expect((await fetch(`${base.slice(0, -1)}${base.endsWith('0') ? '1' : '0'}${url}`)).status).toBe(404);
    expect((await fetch(`${server.url}${url}`)).status).not.toBe(403);
    expect(await (await fetch(`${server.url}${url}`)).text()).not.toBe('x');
  });

  it('is named in the error if it does not answer', async () => {
    await expect(httpFiles('http://127.0.0.1:1/files').read('x')).rejects.toThrow(errorAbout({ area: 'x' }));
  });
});

it.each([0, 15, 16, 2 ** 21 - 1, 2 ** 21, 2 ** 21 + 1, 5 * 2 ** 20 + 3])(
  'gives the parts of a file of %i bytes in order while it is read',
  async (size) => {
    const path = join(folder, 'parts.bin');
    const bytes = new Uint8Array(size).map((_, i) => (i * 31) ^ (i >> 8));
    writeFileSync(path, bytes);
    const parts: Uint8Array[] = [];
    for (const files of [nodeFiles(), archiveFiles(nodeFiles())]) {
      parts.length = 0;
      const read = await files.read(path, (part) => parts.push(part.slice()));
      expect(Buffer.compare(read, bytes)).toBe(0);
      expect(Buffer.compare(Buffer.concat(parts), bytes)).toBe(0);
      expect(parts.slice(0, -1).filter(({ length }) => length % 16 !== 0)).toEqual([]);
    }
  },
);

it('names a file whose parts cannot be read', async () => {
  const path = join(folder, 'missing.bin');
  await expect(nodeFiles().read(path, () => {})).rejects.toThrow(
    errorAbout({ kind: 'not-found', area: expect.stringMatching(/\bmissing\.bin$/), values: ['read'] }),
  );
  await expect(nodeFiles().read(folder, () => {})).rejects.toThrow(
    errorAbout({ area: expect.stringMatching(/\blent$/), values: ['read'] }),
  );
});

it.each([
  ['a write', "files.write('big.bin', new Uint8Array(2e8))"],
  [
    'a write of several files',
    "writeTogether(files, { 'big.bin': new Uint8Array(2e8), b: new Uint8Array(1) })",
  ],
])('leaves no temporary file if the process ends within %s', (_, call) => {
  const program = `
    import { readdirSync } from 'node:fs';
    import { nodeFiles } from ${JSON.stringify(distFile('modules/host/node-files.js'))};
    import { writeTogether } from ${JSON.stringify(distFile('modules/files/files.js'))};
    const files = nodeFiles();
    ${call};
    while (!readdirSync('.').some((name) => name.endsWith('.partial'))) await new Promise(setImmediate);
    process.exit(3);`;
  const { status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { cwd: folder });
  expect(status).toBe(3);
  expect(readdirSync(folder)).toEqual([]);
});
