import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { lockFolder, lockPath } from '../../src/host/folder-lock.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-lock-'));
const model = join(folder, 'model');
afterAll(() => rmSync(folder, { recursive: true }));

it('keeps a folder to one holder, also by another name, until it is released', async () => {
  const release = await lockFolder(model);
  await expect(lockFolder(model)).rejects.toThrow(
    new RegExp(`model: another training writes it \\(process ${process.pid} on ${hostname()}\\); wait .*remove `),
  );
  await release();
  expect(existsSync(lockPath(model))).toBe(false);
  symlinkSync(folder, join(folder, 'link'));
  const again = await lockFolder(join(folder, 'link/model'));
  await expect(lockFolder(model)).rejects.toThrow('another training');
  await again();
});

it('takes the lock of a process that has ended, and of one whose number was used again', async () => {
  const own = async () => {
    const release = await lockFolder(model);
    const text = readFileSync(lockPath(model), 'utf8');
    await release();
    return JSON.parse(text) as Record<string, unknown>;
  };
  const mine = await own();
  const stale = [{ ...mine, pid: 2 ** 22 + 1 }, ...(mine.start ? [{ ...mine, start: '1' }] : [])];
  for (const old of stale) {
    writeFileSync(lockPath(model), JSON.stringify(old));
    expect(await own()).toEqual(mine);
  }
  for (const text of ['', 'garbage', '[1]']) {
    writeFileSync(lockPath(model), text);
    // It may just be written.
    await expect(lockFolder(model)).rejects.toThrow(/another training writes it \(\S+ does not say which\); .*remove/);
    utimesSync(lockPath(model), new Date(), new Date(Date.now() - 20_000));
    expect(await own()).toEqual(mine);
  }
  writeFileSync(lockPath(model), JSON.stringify({ ...mine, host: 'elsewhere', pid: 2 ** 22 + 1 }));
  await expect(lockFolder(model)).rejects.toThrow('process 4194305 on elsewhere');
});
