// Lock files: a file next to a folder names the process that writes the folder.

import { readFileSync, rmSync } from 'node:fs';
import { readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { HeddleError } from '../core/errors.ts';
import { isObject } from '../files/json-files.ts';

/** Path of the lock file of a folder. */
export const lockPath = (folder: string): string => join(dirname(folder), `.${basename(folder)}.lock`);

/** Start of a process in ticks since the machine started, where the system says it: process numbers are used again. */
function startOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')[19];
  } catch {
    return undefined;
  }
}

/** Milliseconds after which a lock file that names no process is no longer one that is just being written. */
const writing = 10_000;

/** What a lock file says; undefined if it names no process. */
async function holderOf(path: string): Promise<Record<string, unknown> | undefined> {
  try {
    const holder: unknown = JSON.parse(await readFile(path, 'utf8'));
    return isObject(holder) && 'pid' in holder ? holder : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a lock file that names no process is a file, and not just being written: a crash of the machine leaves such. */
const isLeft = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile() && Date.now() - found.mtimeMs > writing,
    () => false,
  );

/** Whether the process that wrote a lock file may still run: it is on another machine, or alive. */
function mayRun({ pid, host, start }: Record<string, unknown>): boolean {
  if (host !== hostname()) return true;
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid < 1) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return start === startOf(pid);
}

/**
 * Locks a folder that need not exist, until the returned function is called or the process ends. The lock of a process
 * that has ended counts as none, and so does an old file that names no process. Throws a HeddleError that names the process which writes the folder.
 */
export async function lockFolder(given: string): Promise<() => Promise<void>> {
  const folder = await realpath(given).catch(() => given);
  const path = lockPath(folder);
  const own = JSON.stringify({ pid: process.pid, host: hostname(), start: startOf(process.pid) });
  for (let tries = 0; ; tries++) {
    try {
      await writeFile(path, `${own}\n`, { flag: 'wx' });
      break;
    } catch (error) {
      // Where nothing can be written, the first save says so; a folder that does not exist is made by it.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return async () => {};
      const holder = await holderOf(path);
      if (tries > 0 || (holder ? mayRun(holder) : !(await isLeft(path)))) {
        const who = holder ? `process ${holder.pid} on ${holder.host}` : `${path} does not say which`;
        throw new HeddleError(
          `${given}: another training writes it (${who}); wait for its end, name another folder, or remove ${path} if it has ended`,
        );
      }
      await rm(path, { force: true });
    }
  }
  const release = () => rmSync(path, { force: true });
  process.on('exit', release);
  return async () => {
    process.off('exit', release);
    release();
  };
}
