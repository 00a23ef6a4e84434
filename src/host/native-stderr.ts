// Filters lines that native code of this process writes to stderr.

import { randomUUID } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readFileSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isatty } from 'node:tty';

const { O_APPEND, O_CREAT, O_EXCL, O_NOCTTY, O_RDWR, O_WRONLY } = constants;

/**
 * Returns `work()`, which is synchronous; of the lines that native code writes to file descriptor 2 meanwhile, those for which
 * `isNoise` returns true are dropped and the others follow when it has ended.
 *
 * Node has no dup2: descriptor 2 is closed and opened as a temporary file, and later as what it was, by its name in /proc. That
 * gives the same only for a terminal, a pipe and a file that is appended to. Nothing is filtered where stderr is a socket, or a
 * file at an offset, which other programs may share; on other systems than Linux; and while requests or threads of this process
 * may open files, which would get descriptor 2.
 */
export function filterNativeStderr<T>(isNoise: (line: string) => boolean, work: () => T): T {
  const original = openAgain();
  if (original === undefined) return work();
  const kept = openTemporary();
  if (kept === undefined) {
    closeSync(original);
    return work();
  }
  redirect(kept);
  try {
    return work();
  } finally {
    redirect(original);
    const lines = contents(kept).split(/(?<=\n)/);
    const text = lines.filter((line) => !isNoise(line.trimEnd())).join('');
    if (text !== '') writeSync(2, text);
    closeSync(original);
    closeSync(kept);
  }
}

/** A second descriptor of what stderr is; undefined if descriptor 2 cannot be closed and opened again. */
function openAgain(): number | undefined {
  if (process.platform !== 'linux' || process.stderr.writableLength > 0) return undefined;
  if (process.getActiveResourcesInfo().some((name) => /^(?:FS|Worker|MessagePort)/.test(name))) return undefined;
  try {
    for (const fd of [0, 1]) fstatSync(fd); // a file that is opened gets the lowest free descriptor
    const stderr = fstatSync(2);
    const [, flags = '0'] = /^flags:\s*([0-7]+)$/m.exec(readFileSync('/proc/self/fdinfo/2', 'utf8')) ?? [];
    const appends = (Number.parseInt(flags, 8) & O_APPEND) !== 0;
    if (!isatty(2) && !stderr.isFIFO() && !(stderr.isFile() && appends)) return undefined;
    return openSync('/proc/self/fd/2', O_WRONLY | O_APPEND | O_NOCTTY);
  } catch {
    return undefined; // closed, or of another user
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

/** Makes descriptor 2 a descriptor of the file of another. */
function redirect(fd: number): void {
  closeSync(2);
  // Another file at descriptor 2 would be written over by every message.
  if (openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_APPEND | O_NOCTTY) !== 2) process.abort();
}

function contents(fd: number): string {
  const bytes = Buffer.alloc(fstatSync(fd).size);
  readSync(fd, bytes, 0, bytes.length, 0);
  return bytes.toString();
}
