// Drops lines that native code in this process writes to stderr.

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

const { O_APPEND, O_CREAT, O_EXCL, O_NOCTTY, O_RDONLY, O_RDWR, O_WRONLY } = constants;

/**
 * Runs the synchronous `work` and drops the lines that native code meanwhile writes to file descriptor 2 if
 * they match `noise`, a regular expression with the same meaning in JavaScript and `grep -E`.
 *
 * Node has no dup2, so the method depends on the kind of stderr:
 *
 * - A terminal, a pipe or a file in append mode: descriptor 2 is reopened as a temporary file during the
 *   work, and then
 *   reopened as the original by its name in /proc.
 * - A file at an offset, which other programs may share: it is truncated after the work.
 * - A socket: all output is piped through grep until this process ends.
 *
 * Nothing is dropped on systems other than Linux, or while requests or threads of this process may open
 * files, which would get descriptor 2.
 */
export async function filterNativeStderr<T>(noise: RegExp, work: () => T): Promise<Awaited<T>> {
  const seek = await seekInFile();
  if (seek) return await inFile(noise, work, seek);
  if (filtersAll) return await work();
  const way = canReplace() ? kindOfStderr() : undefined;
  if (way === 'socket') filtersAll = filterSocket(noise);
  return await (way === 'again' ? throughTemporary(noise, work) : work());
}

/** Whether all of stderr passes through a filter. */
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

/** The method for this kind of stderr: open it again, truncate the file, or filter a socket. */
function kindOfStderr(): 'again' | 'file' | 'socket' | undefined {
  try {
    const stderr = fstatSync(2);
    if (isatty(2) || stderr.isFIFO()) return 'again';
    if (stderr.isSocket()) return 'socket';
    if (!stderr.isFile()) return undefined;
    return (Number.parseInt(descriptor('flags'), 8) & O_APPEND) !== 0 ? 'again' : 'file';
  } catch {
    return undefined; // stderr is closed
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
    return work(); // it belongs to another user
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

/** Reopens descriptor 2 as the file at `path`. */
function redirect(path: string): void {
  closeSync(2);
  // If another file got descriptor 2, every message would overwrite it.
  if (openSync(path, O_WRONLY | O_APPEND | O_NOCTTY) !== 2) process.abort();
}

function textOf(fd: number, from: number, to: number): string {
  const bytes = Buffer.alloc(to - from);
  return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, from)).toString();
}

/** Sets the offset of a descriptor, if stderr is a file at an offset. */
const seekInFile = async (): Promise<Seek | undefined> =>
  process.platform === 'linux' && kindOfStderr() === 'file' ? openSeek() : undefined;

/** Removes the lines from the end of the file after the work, unless other programs wrote there. */
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

/** Maximum milliseconds to wait at the end until the filter of a socket has written the last lines. */
const maxWaitMs = 2000;

/**
 * Puts grep between descriptor 2 and its socket; returns whether that succeeded. grep ends with the last
 * writer. It ignores signals, since this process saves its work after a signal.
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
    for (let waited = 0; waited < maxWaitMs && runs(pid); waited++) Atomics.wait(pause, 0, 0, 1);
  });
  return true;
}

/** Whether a child process still runs. */
function runs(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Sets the offset of a file descriptor, from its start; returns whether that succeeded. */
type Seek = (fd: number, offset: number) => boolean;

const wasmName = (text: string): number[] => [text.length, ...Buffer.from(text)];
const wasmSection = (id: number, ...body: number[]): number[] => [id, body.length, ...body];
const [i32, i64] = [0x7f, 0x7e];

/**
 * lseek, which Node lacks, as a WebAssembly module that calls fd_seek of WASI:
 * (module
 *   (import "wasi_snapshot_preview1" "fd_seek" (func $seek (param i32 i64 i32 i32) (result i32)))
 *   (memory (export "memory") 1)
 *   (func (export "seek") (param i32 i64) (result i32)
 *     (call $seek (local.get 0) (local.get 1) (i32.const 0) (i32.const 0)))
 *   (func (export "_start")))
 */
const wasm = Uint8Array.from([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...wasmSection(
    1,
    3,
    ...[0x60, 4, i32, i64, i32, i32, 1, i32],
    ...[0x60, 2, i32, i64, 1, i32],
    ...[0x60, 0, 0],
  ),
  ...wasmSection(2, 1, ...wasmName('wasi_snapshot_preview1'), ...wasmName('fd_seek'), 0, 0),
  ...wasmSection(3, 2, 1, 2),
  ...wasmSection(5, 1, 0, 1),
  ...wasmSection(7, 3, ...wasmName('memory'), 2, 0, ...wasmName('seek'), 0, 1, ...wasmName('_start'), 0, 2),
  ...wasmSection(10, 2, ...[12, 0, 0x20, 0, 0x20, 1, 0x41, 0, 0x41, 0, 0x10, 0, 0x0b], ...[2, 0, 0x0b]),
]);

/**
 * Returns a function that sets the offset of a descriptor of stdin, stdout or stderr; undefined if this Node
 * has no WASI.
 */
async function openSeek(): Promise<Seek | undefined> {
  const { emitWarning } = process;
  process.emitWarning = () => undefined; // WASI is called experimental
  try {
    const { WASI } = await import('node:wasi');
    const wasi = new WASI({ version: 'preview1', returnOnExit: true });
    const { instance } = await WebAssembly.instantiate(wasm, {
      wasi_snapshot_preview1: wasi.wasiImport as never,
    });
    wasi.start(instance);
    const seek = instance.exports.seek as (fd: number, offset: bigint) => number;
    return (fd, offset) => seek(fd, BigInt(offset)) === 0;
  } catch {
    return undefined;
  } finally {
    process.emitWarning = emitWarning;
  }
}
