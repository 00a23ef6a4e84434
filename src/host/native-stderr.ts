// Drops lines that native code of this process writes to stderr.

import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isatty } from 'node:tty';
import { openSeek, type Seek } from './wasi-seek.ts';

const { O_APPEND, O_CREAT, O_EXCL, O_NOCTTY, O_RDONLY, O_RDWR, O_WRONLY } = constants;

/**
 * Returns `work()`, which is synchronous; of the lines that native code writes to file descriptor 2 meanwhile, those that match
 * `noise` are dropped. `noise` is an expression of JavaScript and of `grep -E`.
 *
 * Node has no dup2, so it depends on what stderr is. A terminal, a pipe and a file that is appended to can be opened again by
 * their name in /proc: descriptor 2 is closed, opened as a temporary file, and later as what it was. A file at an offset, which
 * other programs may share, is cut back after the work. A socket gets a process between, grep, which lives as long as this one.
 * Nothing is dropped on other systems than Linux, and while requests or threads of this process may open files, which would get
 * descriptor 2.
 */
export async function filterNativeStderr<T>(noise: RegExp, work: () => T): Promise<Awaited<T>> {
  const seek = await seekInFile();
  if (seek) return await inFile(noise, work, seek);
  if (filtersAll) return await work();
  const way = canReplace() ? kindOfStderr() : undefined;
  if (way === 'socket') filtersAll = filterSocket(noise);
  return await (way === 'again' ? throughTemporary(noise, work) : work());
}

/** Whether all that is written to stderr goes through a filter. */
let filtersAll = false;

/** Whether descriptor 2 can be closed and opened without another file getting it. */
function canReplace(): boolean {
  if (process.platform !== 'linux' || process.stderr.writableLength > 0) return false;
  if (process.getActiveResourcesInfo().some((name) => /^(?:FS|Worker|MessagePort)/.test(name))) return false;
  try {
    for (const fd of [0, 1]) fstatSync(fd); // a file that is opened gets the lowest free descriptor
    return true;
  } catch {
    return false;
  }
}

/** How lines of stderr can be dropped: by opening it again, in a file, or in front of a socket. */
function kindOfStderr(): 'again' | 'file' | 'socket' | undefined {
  try {
    const stderr = fstatSync(2);
    if (isatty(2) || stderr.isFIFO()) return 'again';
    if (stderr.isSocket()) return 'socket';
    if (!stderr.isFile()) return undefined;
    return (Number.parseInt(descriptor('flags'), 8) & O_APPEND) !== 0 ? 'again' : 'file';
  } catch {
    return undefined; // closed
  }
}

/** A field of descriptor 2 in /proc: `pos`, the offset, or `flags`, octal. */
const descriptor = (field: string): string =>
  new RegExp(`^${field}:\\s*(\\d+)$`, 'm').exec(readFileSync('/proc/self/fdinfo/2', 'utf8'))?.[1] ?? '0';

const without = (noise: RegExp, text: string): string =>
  text
    .split(/(?<=\n)/)
    .filter((line) => !noise.test(line.trimEnd()))
    .join('');

/** Opens descriptor 2 as a temporary file for the work. */
function throughTemporary<T>(noise: RegExp, work: () => T): T {
  let original: number | undefined;
  try {
    original = openSync('/proc/self/fd/2', O_WRONLY | O_APPEND | O_NOCTTY);
  } catch {
    return work(); // of another user
  }
  const kept = openTemporary();
  if (kept === undefined) {
    closeSync(original);
    return work();
  }
  redirect(`/proc/self/fd/${kept}`);
  try {
    return work();
  } finally {
    redirect(`/proc/self/fd/${original}`);
    const text = without(noise, textOf(kept, 0, fstatSync(kept).size));
    if (text !== '') writeSync(2, text);
    closeSync(original);
    closeSync(kept);
  }
}

/** Opens a file without a name; undefined if the folder of temporary files cannot be written. */
function openTemporary(): number | undefined {
  const path = join(tmpdir(), `heddle-${randomUUID()}`);
  try {
    const fd = openSync(path, O_RDWR | O_CREAT | O_EXCL, 0o600);
    unlinkSync(path);
    return fd;
  } catch {
    return undefined;
  }
}

/** Makes descriptor 2 a file. */
function redirect(path: string): void {
  closeSync(2);
  // Another file at descriptor 2 would be written over by every message.
  if (openSync(path, O_WRONLY | O_APPEND | O_NOCTTY) !== 2) process.abort();
}

function textOf(fd: number, from: number, to: number): string {
  const bytes = Buffer.alloc(to - from);
  return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, from)).toString();
}

/** Sets the offset of a descriptor, if stderr is a file at an offset. */
const seekInFile = async (): Promise<Seek | undefined> =>
  process.platform === 'linux' && kindOfStderr() === 'file' ? openSeek() : undefined;

/** Removes the lines from the end of the file after the work, unless others have written there. */
function inFile<T>(noise: RegExp, work: () => T, seek: Seek): T {
  const from = Number(descriptor('pos'));
  try {
    return work();
  } finally {
    const to = Number(descriptor('pos'));
    if (to > from && to === fstatSync(2).size) removeLines(noise, from, to, seek);
  }
}

function removeLines(noise: RegExp, from: number, to: number, seek: Seek): void {
  let file: number;
  try {
    file = openSync('/proc/self/fd/2', O_RDONLY);
  } catch {
    return; // it cannot be read
  }
  const text = textOf(file, from, to);
  closeSync(file);
  const kept = without(noise, text);
  if (kept === text || !seek(2, from)) return;
  ftruncateSync(2, from);
  if (kept !== '') writeSync(2, kept);
}

/** Milliseconds to wait at the end for the filter of a socket to write the last lines. */
const patience = 2000;

/**
 * Puts grep between descriptor 2 and the socket that it was; returns whether it did. grep ends with the last writer: it ignores
 * signals, which this process outlives to save its work.
 */
function filterSocket(noise: RegExp): boolean {
  const path = join(tmpdir(), `heddle-${randomUUID()}`);
  if (spawnSync('mkfifo', ['-m', '600', path]).status !== 0) return false;
  const script = `trap '' HUP INT TERM; exec grep --line-buffered -vE "$0" < "$1"`;
  const filter = spawn('sh', ['-c', script, noise.source, path], { stdio: ['ignore', 2, 'ignore'] });
  if (filter.pid === undefined) {
    unlinkSync(path);
    return false;
  }
  filter.on('error', () => undefined).unref();
  redirect(path); // waits until grep has opened it
  unlinkSync(path);
  const { pid } = filter;
  process.on('exit', () => {
    closeSync(2);
    const pause = new Int32Array(new SharedArrayBuffer(4));
    for (let waited = 0; waited < patience && runs(pid); waited++) Atomics.wait(pause, 0, 0, 1);
  });
  return true;
}

/** Whether a process of this one still runs. */
function runs(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
