// Fake of the browser's private file system (OPFS) in memory, to test closing a tab at any moment: after
// `killAfter` changes all further changes throw. Like the real one it has named errors, writes that take
// effect at `close`, and `move`.
import { concatBytes } from '../../src/files/files.ts';

class Missing extends Error {
  override readonly name: string = 'NotFoundError';
}
class Mismatch extends Error {
  override readonly name: string = 'TypeMismatchError';
}
class NotReadable extends Error {
  override readonly name: string = 'NotReadableError';
}
class Full extends Error {
  override readonly name: string = 'QuotaExceededError';
}
class Killed extends Error {}

/** The disk: its contents remain when a process is killed. */
export interface FakeDisk {
  /** Opens the root directory for a process that is killed after `killAfter` changes. */
  open(killAfter?: number): FileSystemDirectoryHandle;
  /** Changes made since the last `open`. */
  readonly changes: number;
  /** Maximum number of bytes. */
  quota: number;
  /** How many of the next reads fail, as if another tab had replaced the file after it was opened. */
  replaced: number;
}

type Entry = FakeFolder | FakeFile;
interface FakeFile {
  readonly kind: 'file';
  bytes: Uint8Array;
}
interface FakeFolder {
  readonly kind: 'directory';
  readonly entries: Map<string, Entry>;
}

const sizeOf = (entry: Entry): number =>
  entry.kind === 'file' ? entry.bytes.length : [...entry.entries.values()].reduce((n, e) => n + sizeOf(e), 0);

/**
 * Creates an empty disk. `moves`: whether FileSystemFileHandle.move exists, which some browsers lack; `inPlace`:
 * whether files can be written in place, as in workers.
 */
export function fakeDisk({ moves = true, inPlace = false } = {}): FakeDisk {
  const root: FakeFolder = { kind: 'directory', entries: new Map() };
  let changes = 0;
  let last = Number.POSITIVE_INFINITY;
  const change = () => {
    if (changes >= last) throw new Killed('the tab was closed');
    changes++;
  };
  const disk = {
    quota: Number.POSITIVE_INFINITY,
    replaced: 0,
    get changes() {
      return changes;
    },
    open(killAfter = Number.POSITIVE_INFINITY) {
      changes = 0;
      last = killAfter;
      return folderHandle(root, '') as unknown as FileSystemDirectoryHandle;
    },
  };
  return disk;

  function get<K extends Entry['kind']>(folder: FakeFolder, name: string, kind: K, create: boolean) {
    const there = folder.entries.get(name);
    if (there && there.kind !== kind) throw new Mismatch(`${name} is a ${there.kind}`);
    if (there) return there as Extract<Entry, { kind: K }>;
    if (!create) throw new Missing(`no ${name}`);
    change();
    const entry: Entry =
      kind === 'file' ? { kind: 'file', bytes: new Uint8Array() } : { kind: 'directory', entries: new Map() };
    folder.entries.set(name, entry);
    return entry as Extract<Entry, { kind: K }>;
  }

  function folderHandle(folder: FakeFolder, name: string): object {
    return {
      kind: 'directory',
      name,
      folder,
      getDirectoryHandle: async (child: string, { create = false } = {}) =>
        folderHandle(get(folder, child, 'directory', create), child),
      getFileHandle: async (child: string, { create = false } = {}) =>
        fileHandle(get(folder, child, 'file', create), folder, child),
      async removeEntry(child: string, { recursive = false } = {}) {
        const there = folder.entries.get(child);
        if (!there) throw new Missing(`no ${child}`);
        if (there.kind === 'directory' && there.entries.size > 0) {
          if (!recursive) throw new Error(`${child} is not empty`);
          // Not atomic, as in OPFS.
          for (const inner of [...there.entries.keys()]) {
            change();
            there.entries.delete(inner);
          }
        }
        change();
        folder.entries.delete(child);
      },
      async *keys() {
        yield* [...folder.entries.keys()];
      },
      async *values() {
        for (const [child, entry] of [...folder.entries])
          yield entry.kind === 'file' ? fileHandle(entry, folder, child) : folderHandle(entry, child);
      },
      async *entries() {
        for (const [child, entry] of [...folder.entries])
          yield [
            child,
            entry.kind === 'file' ? fileHandle(entry, folder, child) : folderHandle(entry, child),
          ];
      },
    };
  }

  function fileHandle(file: FakeFile, parent: FakeFolder, name: string): object {
    const openInPlace = async () => ({
      getSize: () => file.bytes.length,
      write(data: Uint8Array, { at }: { at: number }) {
        change();
        file.bytes = concatBytes([file.bytes.subarray(0, at), data]);
      },
      close: () => undefined,
    });
    const move = async ({ folder }: { folder: FakeFolder }, to: string) => {
      change();
      parent.entries.delete(name);
      folder.entries.set(to, file);
    };
    return {
      kind: 'file',
      name,
      async getFile() {
        const opened = new File([file.bytes as BlobPart], name, { lastModified: 1000 });
        if (disk.replaced === 0) return opened;
        disk.replaced--;
        const fail = () => Promise.reject(new NotReadable('The requested file could not be read'));
        return Object.assign(opened, { text: fail, arrayBuffer: fail });
      },
      createSyncAccessHandle: inPlace ? openInPlace : undefined,
      async createWritable({ keepExistingData = false } = {}) {
        const written: Uint8Array[] = keepExistingData ? [file.bytes] : [];
        return {
          async write(given: Uint8Array | string | Blob | { data: Uint8Array; position: number }) {
            const isPlaced = typeof given === 'object' && 'position' in given;
            if (isPlaced && given.position !== file.bytes.length) throw new Error('not at the end');
            const data = isPlaced ? given.data : given;
            written.push(new Uint8Array(await new Blob([data as BlobPart]).arrayBuffer()));
            if (sizeOf(root) + written.reduce((n, w) => n + w.length, 0) > disk.quota) throw new Full('full');
          },
          async close() {
            change();
            file.bytes = new Uint8Array(await new Blob(written as BlobPart[]).arrayBuffer());
          },
          abort: async () => undefined,
        };
      },
      move: moves ? move : undefined,
    };
  }
}
