// Locks of a folder between processes.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { lockFolder, lockPath } from '../../src/host/folder-lock.ts';
import { errorAbout } from '../support/expect-error.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-lock-'));
const model = join(folder, 'model');
afterAll(() => rmSync(folder, { recursive: true }));

/** The error of a folder that this process has locked. */
const inUse = errorAbout({ area: model, values: [String(process.pid), hostname(), lockPath(model)] });

it('allows one owner per folder, also by another path, until the lock is released', async () => {
  const release = await lockFolder(model);
  await expect(lockFolder(model)).rejects.toThrow(inUse);
  await release();
  expect(existsSync(lockPath(model))).toBe(false);
  symlinkSync(folder, join(folder, 'link'));
  const again = await lockFolder(join(folder, 'link/model'));
  await expect(lockFolder(model)).rejects.toThrow(inUse);
  await again();
});

/** Contents of a lock file of this process. */
async function own(): Promise<Record<string, unknown>> {
  const release = await lockFolder(model);
  const text = readFileSync(lockPath(model), 'utf8').trim().split('\n').at(-1) ?? '';
  await release();
  const { claim, ...mine } = JSON.parse(text) as Record<string, unknown>;
  expect(claim).toBeTypeOf('string');
  return mine;
}

it('takes the lock of a process that has ended, also if its process id was reused', async () => {
  const mine = await own();
  const stale = [{ ...mine, pid: 2 ** 22 + 1 }, ...(mine.start ? [{ ...mine, start: '1' }] : [])];
  const texts = ['', 'garbage', '[1]', '{"pid":', '\0\0\0', ...stale.map((old) => JSON.stringify(old))];
  for (const text of texts) {
    writeFileSync(lockPath(model), text);
    expect(await own()).toEqual(mine);
    expect(existsSync(lockPath(model))).toBe(false);
  }
  writeFileSync(lockPath(model), JSON.stringify({ ...mine, host: 'elsewhere', pid: 2 ** 22 + 1 }));
  await expect(lockFolder(model)).rejects.toThrow(
    errorAbout({ area: expect.stringMatching(/\bmodel$/), values: ['elsewhere'] }),
  );
  rmSync(lockPath(model));
});

it('gives the lock of a process that has ended to only one of several processes', async () => {
  const mine = await own();
  for (let round = 0; round < 20; round++) {
    writeFileSync(lockPath(model), JSON.stringify({ ...mine, pid: 2 ** 22 + 1 }));
    const racers = await Promise.allSettled(Array.from({ length: 6 }, () => lockFolder(model)));
    const [holder, ...others] = racers.flatMap((racer) =>
      racer.status === 'fulfilled' ? [racer.value] : [],
    );
    expect(others).toEqual([]);
    await holder?.();
    expect(existsSync(lockPath(model))).toBe(false);
  }
});

it('ignores locks that were given up, and names a lock that cannot be written', async () => {
  const release = await lockFolder(model);
  await expect(lockFolder(model)).rejects.toThrow(inUse);
  const left = readFileSync(lockPath(model), 'utf8');
  await release();
  // As if the holder had been killed: no process has this id.
  writeFileSync(lockPath(model), left.replace(`"pid":${process.pid}`, '"pid":4194305'));
  await (await lockFolder(model))();

  mkdirSync(lockPath(model));
  await expect(lockFolder(model)).rejects.toThrow(errorAbout({ area: model, values: [lockPath(model)] }));
});
