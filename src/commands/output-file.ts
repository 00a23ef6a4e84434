// Files that a command writes for the user: an existing one is not overwritten by accident, since it may be an
// input. All is checked before the command starts to work.

import {
  accessSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { errorKind, HeddleError, shellQuote } from '../core/errors.ts';
import { type Message, msg } from '../core/message.ts';
import { withSlashes } from '../files/files.ts';
import { parseManifest } from '../files/folder-manifest.ts';
import { manifestName } from '../files/model-file.ts';
import { systemReason } from '../host/disk-files.ts';

/** Throws a HeddleError if the name of a file or folder is empty. `what`: the flag or argument. */
export function checkNamed(what: string, name: string, kind: 'file' | 'folder' = 'folder'): void {
  if (name.trim() === '') throw new HeddleError(msg`${what} is empty; name a ${kind}`);
}

/** Facts of a file; undefined if there is none, also if its name is too long for one. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Whether a path is a regular file; a device or a pipe can be written without a loss. */
export const isExistingFile = (path: string): boolean => statOf(path)?.isFile() === true;

/** Whether two paths have the same name, or are the same file or folder of the disk by a link. */
export function isSamePlace(a: string, b: string): boolean {
  if (resolve(a) === resolve(b)) return true;
  const [one, other] = [statOf(a), statOf(b)];
  return one !== undefined && one.ino === other?.ino && one.dev === other.dev;
}

/** Whether a model is in a folder: it is the folder, or a .safetensors file directly in it. */
export const isModelIn = (model: string, folder: string): boolean =>
  isSamePlace(model, folder) || (/\.safetensors$/i.test(model) && isSamePlace(dirname(model), folder));

/** The error of an output file that exists. `remedy`: how to overwrite it. */
export const fileExists = (flag: string, path: string, remedy: Message): HeddleError =>
  new HeddleError(msg`this file exists; ${remedy}`, { area: `${flag} ${shellQuote(path)}` });

/** How to check an output file. */
interface OutputOptions {
  readonly force?: boolean;
  /** Files that the command reads. */
  readonly inputs?: readonly string[];
  /** Files that it writes for other flags. */
  readonly taken?: readonly string[];
}

/**
 * Throws a HeddleError if a command may not write a file: its name is empty, it is one of the `inputs` or `taken`,
 * or a file of a folder that heddle wrote, it exists and `force` is not set, or it cannot be written.
 */
export function checkOutputFile(
  flag: string,
  path: string,
  { force = false, inputs = [], taken = [] }: OutputOptions,
): void {
  checkNamed(flag, path, 'file');
  const refused = (reason: Message) => new HeddleError(reason, { area: `${flag} ${shellQuote(path)}` });
  if (inputs.some((input) => input !== '-' && isSamePlace(input, path)))
    throw refused(msg`the command reads this file; name another file`);
  if (taken.some((other) => isSamePlace(other, path)))
    throw refused(msg`another output has this name; name another file`);
  const owner = folderWith(path);
  if (owner !== undefined)
    throw refused(msg`it is a file that heddle wrote in the folder ${owner}; name another file`);
  if (!force && isExistingFile(path))
    throw fileExists(flag, path, msg`--force overwrites it, or name another file`);
  const problem = writeProblem(path);
  if (problem !== undefined) throw refused(msg`cannot write: ${problem}`);
}

/** Checks the output files of a command by their flags; each has a path of its own. See `checkOutputFile`. */
export function checkOutputFiles(
  outputs: readonly (readonly [flag: string, path: string | undefined])[],
  options: OutputOptions,
): void {
  const taken: string[] = [];
  for (const [flag, path] of outputs) {
    if (path === undefined) continue;
    checkOutputFile(flag, path, { ...options, taken });
    taken.push(path);
  }
}

/** The folder whose manifest lists a file; undefined if there is none. */
function folderWith(path: string): string | undefined {
  const file = isExistingFile(path) ? realpathSync(path) : resolve(path); // a pipe has no real path
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const manifest = join(folder, manifestName);
    if (isExistingFile(manifest)) {
      const name = withSlashes(relative(folder, file));
      const isListed = () => name in parseManifest(readFileSync(manifest), manifest).files;
      return name === manifestName || isListed() ? folder : undefined;
    }
    if (folder === dirname(folder)) return undefined;
  }
}

/** The path of an output file with symbolic links followed; their target need not exist. */
export function targetOf(path: string): string {
  const at = resolve(path);
  if (!lstatSync(at, { throwIfNoEntry: false })?.isSymbolicLink()) return at;
  return targetOf(resolve(dirname(at), readlinkSync(at)));
}

/** Why a file cannot be written; undefined if it can. Its folders need not exist. */
function writeProblem(path: string): Message | string | undefined {
  if (withSlashes(path).endsWith('/')) return msg`it is the name of a folder, not of a file`;
  let at = resolve(path);
  try {
    if (statSync(at, { throwIfNoEntry: false })?.isDirectory()) return msg`it is a folder, not a file`;
    at = targetOf(at);
    while (!statOf(at)) at = dirname(at);
    accessSync(at, constants.W_OK);
    if (at !== targetOf(path) && !statSync(at).isDirectory())
      return msg`a part of the path is a file, not a folder`;
  } catch (error) {
    return systemReason(error);
  }
  return undefined;
}

/** Creates the folder of a file and its parents, one by one. See `makeFolderOf` for why not by the option `recursive`. */
export function makeFolderOf(path: string): void {
  const folder = dirname(path);
  if (statOf(folder)) return;
  makeFolderOf(folder);
  mkdirSync(folder);
}

/** Opens a new output file, or with `r+` an existing one; creates its folders. */
export const openOutputFile = (path: string, flags: 'w' | 'r+' = 'w'): number =>
  writing(path, () => {
    makeFolderOf(targetOf(path));
    return openSync(path, flags);
  });

/** Writes all bytes to a file at a position: on a full disk a system writes a part and reports no error. */
export function writeAt(file: number, bytes: Uint8Array, at?: number): void {
  for (let written = 0; written < bytes.length; )
    written += writeSync(
      file,
      bytes,
      written,
      bytes.length - written,
      at === undefined ? undefined : at + written,
    );
}

/** Runs `work`, which writes an output. An error of the system becomes a HeddleError with the path and the reason. */
export function writing<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const kind = errorKind(error);
    throw new HeddleError(msg`cannot write: ${systemReason(error)}`, { area: path, kind, cause: error });
  }
}
