// The output folder of a training run, empty or with files in it.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { outFolder } from '../../src/commands/out-folder.ts';
import { archiveFiles } from '../../src/files/archive-files.ts';
import { writeText } from '../../src/files/files.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { writeFolder } from '../../src/files/owned-folder.ts';
import { distFile } from '../support/dist.ts';
import { errorAbout } from '../support/expect-error.ts';
import { tinyCorpus } from '../support/training.ts';

async function filesWith(...folders: string[]) {
  const files = memoryFiles();
  for (const folder of folders) await writeText(files, `${folder}/config.json`, '{"format":"heddle"}');
  return files;
}

it('keeps an existing model unless --force is given', async () => {
  const files = await filesWith('m');
  await expect(outFolder(files, 'name', { out: 'm' })).rejects.toThrow(
    errorAbout({ area: '--out m', offers: [{ force: true }] }),
  );
  expect(await outFolder(files, 'name', { out: 'm', resume: true })).toBe('m');
  expect(await outFolder(files, 'name', { out: 'm/', force: true })).toBe('m');
});

it('names the working directory, whose name the files beside it have', async () => {
  expect(await outFolder(memoryFiles(), 'name', { out: '.' })).toBe(process.cwd());
  expect(await outFolder(memoryFiles(), 'name', { out: 'a/../' })).toBe(process.cwd());
});

it('chooses the first free name in runs/', async () => {
  expect(await outFolder(await filesWith('runs/pairs', 'runs/pairs-2'), 'pairs', {})).toBe('runs/pairs-3');
});

it('names the files of others in the folder, and those that the run would replace', async () => {
  const files = memoryFiles();
  await writeText(files, 'm/thesis.txt', 'mine');
  await expect(outFolder(files, 'name', { out: 'm' })).rejects.toThrow(
    errorAbout({ area: '--out m', values: ['thesis.txt'] }),
  );
  await expect(outFolder(files, 'name', { out: 'm', force: true })).rejects.toThrow(
    errorAbout({ area: '--out m', values: ['thesis.txt'] }),
  );
  await writeFolder(files, 'n', { 'config.json': new Uint8Array(1) });
  await writeText(files, 'n/log.jsonl', 'mine');
  await expect(outFolder(files, 'name', { out: 'n', force: true })).rejects.toThrow(
    errorAbout({ area: '--out n', values: ['log.jsonl'] }),
  );
});

it('keeps a file of the user with the name of an earlier probe', async () => {
  const files = memoryFiles();
  await writeText(files, 'runs/.m.probe', 'mine');
  expect(await outFolder(files, 'name', { out: 'runs/m' })).toBe('runs/m');
  expect(await files.list('runs')).toEqual(['.m.probe']);
});

it('does not replace a .zip file that is none', async () => {
  const files = archiveFiles(memoryFiles());
  await writeText(files, 'm.zip', 'my letters');
  for (const force of [false, true])
    await expect(outFolder(files, 'name', { out: 'm.zip', force })).rejects.toThrow(
      errorAbout({ area: '--out m.zip' }),
    );
});

it('calls a damaged config.json damaged, and an empty name empty', async () => {
  const files = memoryFiles();
  await writeText(files, 'm/config.json', '{"format":"hedd');
  await writeText(files, 'm/state.json', '{}');
  await expect(outFolder(files, 'name', { out: 'm', resume: true })).rejects.toThrow(
    errorAbout({ area: 'm/config.json' }),
  );
  // Without --force a damaged model is not replaced.
  await writeFolder(files, 'n', { 'config.json': new Uint8Array(1), 'model.safetensors': new Uint8Array(1) });
  await expect(outFolder(files, 'name', { out: 'n' })).rejects.toThrow(
    errorAbout({ area: '--out n', offers: [{ force: true }] }),
  );
  expect(await outFolder(files, 'name', { out: 'n', force: true })).toBe('n');
  for (const out of ['', ' '])
    await expect(outFolder(files, 'name', { out })).rejects.toThrow(
      errorAbout({ values: ['--out', 'folder'] }),
    );
});

// A private mount, where the system lets an ordinary user have one.
const mounts =
  spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', '-o', 'ro', 'none', tmpdir()]).status === 0;

it.runIf(process.env.HEDDLE_FULL && mounts)(
  'names a read-only file system in every command that writes (needs unshare, as an ordinary user)',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'heddle-read-only-'));
    try {
      mkdirSync(join(folder, 'disk'));
      writeFileSync(join(folder, 'pairs.tsv'), tinyCorpus);
      const cli = distFile('cli.js');
      const run = (command: string) =>
        spawnSync(
          'unshare',
          ['-rm', 'sh', '-c', `mount -t tmpfs -o ro none disk && node ${cli} ${command}`],
          {
            cwd: folder,
            encoding: 'utf8',
          },
        );
      const tiny =
        'pairs.tsv --host cpu --set dModel=8 --set heads=2 --steps 1 --test-sentences 0 --vocab-size 60';
      const trained = spawnSync('node', [cli, 'train', ...tiny.split(' '), '--out', 'm'], {
        cwd: folder,
        encoding: 'utf8',
      });
      expect(trained.status, trained.stderr).toBe(0);
      for (const command of [
        `train ${tiny} --out disk/m`,
        `train ${tiny} --out n --tensorboard disk/events`,
        `translate m a --host cpu --out disk/out`,
        'pack m disk/m.zip',
      ]) {
        const { status, stderr } = run(command);
        const last = stderr.trimEnd().split('\n').at(-1);
        expect([status, last], command).toEqual([
          1,
          expect.stringMatching(/^heddle: .*disk.*: it is on a read-only file system/),
        ]);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
  120_000,
);
