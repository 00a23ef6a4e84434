// Lock files: a file next to a folder with the process that writes the folder.

import { randomUUID } from 'node:crypto';
import { constants, existsSync, readFileSync, rmSync } from 'node:fs';
import { readFile, realpath, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { errorKind, HeddleError } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import { isObject } from '../files/json-files.ts';
import { systemReason } from './disk-files.ts';

/** Path of the lock file of a folder. */
export const lockPath = (folder: string): string => join(dirname(folder), `.${basename(folder)}.lock`);

/**
 * Start of a process in ticks since the machine started, if the system reports it: process ids are reused.
 */
function startOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')[19];
  } catch {
    return undefined;
  }
}

/** A line of a lock file: the claim of a process, or the `claim` that a process has released. */
type Line = Record<string, unknown>;

/** The lines of a lock file that are JSON objects; after a crash of the machine it may contain anything. */
const linesOf = (text: string): Line[] =>
  text.split('\n').flatMap((line) => {
    try {
      const parsed: unknown = JSON.parse(line);
      return isObject(parsed) ? [parsed] : [];
    } catch {
      return [];
    }
  });

/**
 * The claim that owns the lock: the first one that is not released and whose process may still run. All
 * processes find the same one, since lines are only appended, each with a single write.
 */
function holderOf(text: string): Line | undefined {
  const lines = linesOf(text);
  const givenUp = new Set(lines.map((line) => line.givenUp));
  return lines.find(
    (line) => 'pid' in line && !(line.claim !== undefined && givenUp.has(line.claim)) && mayRun(line),
  );
}

/** Whether the process of a claim may still run: it is alive, or on another machine. */
function mayRun({ pid, host, start }: Line): boolean {
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
 * Appends a line with a single write. It starts with a line break, since the line before it may be
 * incomplete.
 */
const append = (path: string, line: Line, flag: string | number): Promise<void> =>
  writeFile(path, `\n${JSON.stringify(line)}\n`, { flag });

/** The text of a lock file; empty if there is none. */
const textOf = (path: string): Promise<string> =>
  readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });

/**
 * Locks a folder, which need not exist, until the returned function is called or the process ends. Throws a
 * HeddleError that names the process that has the lock. The lock of an ended process is ignored.
 *
 * Each process appends its claim to the lock file; the first claim of a running process owns the lock. So if
 * several processes find the lock of an ended process, exactly one gets it. Only the owner removes the file.
 * A process that appended its claim to a file that was just removed does not find it at the path, and appends
 * it again.
 */
export async function lockFolder(given: string): Promise<() => Promise<void>> {
  const folder = await realpath(given).catch(() => given);
  const path = lockPath(folder);
  const claim = randomUUID();
  const own = { pid: process.pid, host: hostname(), start: startOf(process.pid), claim };
  let text: string;
  do {
    try {
      await append(path, own, 'a');
      text = await textOf(path);
    } catch (error) {
      // If the folder cannot be written, the first save reports it; it also creates missing folders.
      if (!existsSync(path)) return async () => {};
      // On a full disk the file is created, but nothing is written to it.
      if (linesOf(await textOf(path).catch(() => '{}')).length === 0) rmSync(path, { force: true });
      const kind = errorKind(error);
      throw new HeddleError(msg`cannot lock it: ${path}: ${systemReason(error)}`, {
        area: given,
        kind,
        cause: error,
      });
    }
  } while (!text.includes(claim));
  const holder = holderOf(text);
  if (holder?.claim !== claim) {
    await append(path, { givenUp: claim }, constants.O_WRONLY | constants.O_APPEND).catch(() => undefined);
    throw new HeddleError(
      msg`another training writes it (process ${String(holder?.pid)} on ${String(holder?.host)}); wait for its end, name another folder, or remove ${path} if it has ended`,
      { area: given, kind: 'input' },
    );
  }
  const release = () => rmSync(path, { force: true });
  process.on('exit', release);
  return async () => {
    process.off('exit', release);
    release();
  };
}
