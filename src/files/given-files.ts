// File and Blob objects of a call as files with paths, beside the files of the host: code behind the public API
// knows paths only.

import { check, HeddleError } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import { readable } from './blob-files.ts';
import { type Files, openBlob, openStream } from './files.ts';
import { unpackModelFile } from './model-archives.ts';

/** A file: its path, or the file itself. */
export type FileSource = string | Blob;

/**
 * A folder: its path, or the path of an archive; a .zip archive or .safetensors file itself; or the files of the
 * folder.
 */
export type FolderSource = string | Blob | readonly File[];

/** Start of the paths of given files; no path of a host starts so. */
const prefix = '<File';

/** The files of a host, and File and Blob objects that were given in their place, which are read-only. */
export class GivenFiles {
  readonly files: Files;
  readonly #blobs = new Map<string, Blob>();
  /** Folders of archives that are unpacked. */
  readonly #archives = new Map<Blob, string>();

  constructor(base: Files) {
    /** The given file at a path; undefined if it is a path of the host. */
    const find = async (path: string): Promise<Blob | undefined> => {
      if (!path.startsWith(prefix)) return undefined;
      const blob = this.#blobs.get(path);
      if (!blob) throw new HeddleError('it is not among the files', { area: path, kind: 'not-found' });
      return readable(blob, path);
    };
    const checkWritable = (path: string) =>
      check(!path.startsWith(prefix), 'a given file is read-only', { kind: 'input', area: path });
    this.files = {
      ...base,
      read: async (path, onPart) => {
        const blob = await find(path);
        return blob ? new Uint8Array(await blob.arrayBuffer()) : base.read(path, onPart);
      },
      stream: async (path) => (await find(path))?.stream() ?? openStream(base, path),
      blob: async (path) => (await find(path)) ?? openBlob(base, path),
      size: async (path) => {
        const blob = await find(path);
        return blob ? blob.size : base.size?.(path);
      },
      sha256: async (path) => (path.startsWith(prefix) ? undefined : base.sha256?.(path)),
      real: async (path) => (path.startsWith(prefix) ? path : (base.real?.(path) ?? path)),
      exists: async (path) =>
        path.startsWith(prefix) ? this.#blobs.has(path) || this.#namesIn(path).length > 0 : base.exists(path),
      list: async (folder) => {
        if (!folder.startsWith(prefix)) return base.list(folder);
        check(!this.#blobs.has(folder), 'it is a file, not a folder', { kind: 'input', area: folder });
        return this.#namesIn(folder);
      },
      write: async (path, bytes) => {
        checkWritable(path);
        await base.write(path, bytes);
      },
      rename: async (from, to) => {
        checkWritable(from);
        checkWritable(to);
        await base.rename(from, to);
      },
      remove: async (path) => {
        checkWritable(path);
        await base.remove(path);
      },
    };
  }

  /** The path of a file in `files`. */
  path(given: FileSource): string {
    return typeof given === 'string' ? given : this.#add(given, given instanceof File ? given.name : 'Blob');
  }

  /** The path of a folder or archive in `files`. Throws a HeddleError if it is none of what it may be. */
  async folder(given: FolderSource): Promise<string> {
    if (typeof given === 'string') return given;
    const all: readonly Blob[] = given instanceof Blob ? [given] : given;
    check(
      Array.isArray(all) && all.length > 0 && all.every((each) => each instanceof Blob),
      'give a path, a File or Blob with an archive, or an array with the files of a folder',
      'input',
    );
    const [first] = all as [Blob];
    const name = first instanceof File ? first.name : 'Blob';
    if (given instanceof Blob || (all.length === 1 && /\.(?:zip|safetensors)$/i.test(name)))
      return this.#unpack(first, name);
    const folder = this.#newFolder('folder');
    for (const file of given as readonly File[]) {
      const path = `${folder}/${file.name}`;
      check(
        !this.#blobs.has(path),
        msg`two of the files are named ${file.name}; give the files of one folder`,
        'input',
      );
      this.#blobs.set(path, file);
    }
    return folder;
  }

  /** A value of JSON with File and Blob objects, with paths instead of these. */
  withPaths(value: unknown): unknown {
    if (value instanceof Blob) return this.path(value);
    if (Array.isArray(value)) return value.map((each) => this.withPaths(each));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, this.withPaths(each)]));
  }

  /** Adds the files of a model in an archive as a folder. */
  async #unpack(archive: Blob, name: string): Promise<string> {
    const known = this.#archives.get(archive);
    if (known !== undefined) return known;
    const parts = await unpackModelFile(await readable(archive, name), name);
    const folder = this.#newFolder(name);
    for (const [part, bytes] of Object.entries(parts))
      this.#blobs.set(`${folder}/${part}`, new Blob([bytes as Uint8Array<ArrayBuffer>]));
    this.#archives.set(archive, folder);
    return folder;
  }

  #newFolder(name: string): string {
    return `${this.#root((start) => this.#namesIn(`${start}/${name}`).length > 0)}/${name}`;
  }

  /** Adds a file; the same object has one path, another one of the same name another root. */
  #add(blob: Blob, name: string): string {
    const root = this.#root((start) => (this.#blobs.get(`${start}/${name}`) ?? blob) !== blob);
    this.#blobs.set(`${root}/${name}`, blob);
    return `${root}/${name}`;
  }

  /** The first root that is not taken: `<File>`, `<File 2>`. */
  #root(isTaken: (root: string) => boolean): string {
    for (let i = 1; ; i++) {
      const root = i === 1 ? `${prefix}>` : `${prefix} ${i}>`;
      if (!isTaken(root)) return root;
    }
  }

  #namesIn(folder: string): string[] {
    const start = `${folder}/`;
    return [...this.#blobs.keys()].flatMap((path) =>
      path.startsWith(start) ? [path.slice(start.length)] : [],
    );
  }
}

/** Resolves a path, by `pathOf`, or given files to files and the path of a folder in them. */
export async function openGiven(
  source: FolderSource,
  files: Files,
  pathOf: (path: string) => string = (path) => path,
): Promise<{ readonly files: Files; readonly folder: string }> {
  if (typeof source === 'string') return { files, folder: pathOf(source) };
  const given = new GivenFiles(files);
  return { files: given.files, folder: await given.folder(source) };
}
