// The file interface of the library. Folders of several files: owned-folder.ts. Implementations: memory,
// archives and browser storage (this folder), disks in Node and Deno (src/host), and the file server's client
// (src/commands/remote).

import { renamedError } from '../core/errors.ts';

/**
 * Reads and writes whole files by paths with slashes. Every call rejects with a HeddleError that names the
 * path.
 */
export interface Files {
  /**
   * Reads a file. Files that read in parts give each to `onPart` while the next one is read: all bytes in order, in
   * parts whose sizes are multiples of 16, except the last one. Throws a HeddleError if the file does not exist.
   */
  read(path: string, onPart?: (part: Uint8Array) => void): Promise<Uint8Array>;
  /**
   * Reads a large file as a stream; `-` is stdin, if the host has one. Without this method, `read` is used.
   */
  stream?(path: string): Promise<ReadableStream<Uint8Array>>;
  /**
   * Opens a file whose parts are read by `slice`, so that it may be larger than memory. Without this method,
   * `read` is used.
   */
  blob?(path: string): Promise<Blob>;
  /** Size of a file in bytes; undefined if it is unknown. */
  size?(path: string): Promise<number | undefined>;
  /** Writes a file and creates the folders of its path. */
  write(path: string, bytes: Uint8Array): Promise<void>;
  /**
   * Appends bytes to a file, and creates it if it does not exist. Without this method, `read` and `write` are
   * used.
   */
  append?(path: string, bytes: Uint8Array): Promise<void>;
  /** Whether a file or folder exists. */
  exists(path: string): Promise<boolean>;
  /** Names of the files and folders in a folder. */
  list(folder: string): Promise<string[]>;
  /**
   * Renames a file, which replaces a file at `to`, or a folder. Throws a HeddleError if a folder is at `to`.
   */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file, or a folder with its contents; no error if it does not exist. */
  remove(path: string): Promise<void>;
  /** Free bytes of the disk, or of the storage of the browser, for a file or folder; undefined if unknown. */
  free?(path: string): Promise<number | undefined>;
  /**
   * SHA-256 of a file in hexadecimal, computed in another thread while this one goes on. Without this method, or
   * if it returns undefined, the file is read in parts and hashed by `crypto.subtle`.
   */
  sha256?(path: string): Promise<string | undefined>;
  /** The path without symbolic links. */
  real?(path: string): Promise<string>;
  /**
   * Locks a folder for a training run, until the returned function is called or the process ends. Throws a
   * HeddleError that names the other process if it is locked.
   */
  lock?(folder: string): Promise<() => Promise<void>>;
}

/** Reads a file as a stream. */
export const openStream = async (files: Files, path: string): Promise<ReadableStream<Uint8Array>> =>
  files.stream?.(path) ?? new Blob([(await files.read(path)) as Uint8Array<ArrayBuffer>]).stream();

/** Appends bytes to a file, and creates it if it does not exist. */
export async function appendFile(files: Files, path: string, bytes: Uint8Array): Promise<void> {
  if (files.append) return files.append(path, bytes);
  await files.write(path, (await files.exists(path)) ? concatBytes([await files.read(path), bytes]) : bytes);
}

/** What separates the parts of a path besides a slash. */
let separator = '/';

/** Sets what separates the parts of a path besides a slash: on Windows a backslash. Elsewhere it is a part of a name. */
export const setSeparator = (text: string): void => {
  separator = text;
};

/** A path with slashes only. */
export const withSlashes = (path: string): string => path.replaceAll(separator, '/');

/** Removes trailing slashes; `/` is unchanged. */
export const withoutEndSlash = (path: string): string =>
  path.slice(0, withSlashes(path).search(/(?<=.)\/*$/s));

/** The part of a path before its last name, with the slash; '' for a name. */
export const folderPart = (path: string): string => path.slice(0, withSlashes(path).search(/[^/]*\/*$/));

/** The last part of a path, without trailing slashes. */
export const baseName = (path: string): string => withoutEndSlash(path.slice(folderPart(path).length));

/** A new path beside `path` for a file that lives only until it is renamed or removed: `folder/.4f0c12ab98de.partial`. */
export const temporaryBeside = (path: string): string =>
  `${folderPart(path)}.${crypto.randomUUID().slice(-12)}.partial`;

/** Whether a path is one of `temporaryBeside`. */
export const isTemporary = (path: string): boolean => /^\.[0-9a-f]{12}\.partial$/.test(baseName(path));

/** Whether a path is a folder or leads into it. Both are relative, or both absolute. */
export function isInFolder(path: string, folder: string): boolean {
  const [inner, outer] = [path, folder].map((p) => `${withSlashes(p).replace(/^(?:\.\/)+|\/+$/g, '')}/`);
  return (inner as string).startsWith(outer as string);
}

/** Opens a file whose parts are read by `slice`. */
export const openBlob = async (files: Files, path: string): Promise<Blob> =>
  files.blob?.(path) ?? new Blob([(await files.read(path)) as Uint8Array<ArrayBuffer>]);

/** Reads a file as UTF-8 text. */
export const readText = async (files: Files, path: string): Promise<string> =>
  new TextDecoder().decode(await files.read(path));

/** Writes text as UTF-8. */
export const writeText = (files: Files, path: string, text: string): Promise<void> =>
  files.write(path, new TextEncoder().encode(text));

/**
 * Writes files given by their paths. All are written beside their places before the first one is replaced, so that
 * an error of writing, such as a full disk, changes none of them. Devices and pipes are written directly.
 */
export async function writeTogether(
  files: Files,
  parts: Readonly<Record<string, Uint8Array>>,
): Promise<void> {
  const moves = new Map<string, string>();
  const direct: string[] = [];
  try {
    for (const [path, bytes] of Object.entries(parts)) {
      const isFile = !files.size || !(await files.exists(path)) || (await files.size(path)) !== undefined;
      if (!isFile) {
        direct.push(path);
        continue;
      }
      const target = (await files.real?.(path)) ?? path; // a symbolic link stays one
      const temporary = temporaryBeside(target);
      moves.set(temporary, target);
      await files.write(temporary, bytes);
    }
    for (const path of direct) await files.write(path, parts[path] as Uint8Array);
    for (const [temporary, target] of moves) await files.rename(temporary, target);
  } catch (error) {
    let first = error;
    for (const [temporary, target] of moves) {
      await files.remove(temporary).catch(() => undefined); // report the first error
      first = renamedError(first, temporary, target);
    }
    throw first;
  }
}

/** Concatenates byte arrays. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Names in a folder; none if it does not exist. Throws a HeddleError if it is a file. */
export async function namesIn(files: Files, folder: string): Promise<string[]> {
  return (await files.exists(folder)) ? files.list(folder) : [];
}
