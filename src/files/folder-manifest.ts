// The manifest of a folder that heddle writes: the files that heddle wrote, with their checksums. Every other
// file in the folder is the user's.

import { HeddleError } from '../core/errors.ts';
import { fingerprintOf } from '../core/fingerprint.ts';
import { msg } from '../core/message.ts';
import { checksumOf, checksumOfFile, type FileChecksum } from './checksums.ts';
import { type Files, namesIn } from './files.ts';
import { isObject, type Json, parseJson, readJson } from './json-files.ts';
import { cacheNames, isStaging, manifestName } from './model-file.ts';

/** The manifest of a folder. */
export interface FolderManifest {
  readonly format: 'heddle-folder';
  readonly version: 1;
  /** Id of the training run that wrote the folder. */
  readonly run?: string;
  /** The files that heddle wrote, by their paths in the folder; not the manifest itself. */
  readonly files: Readonly<Record<string, FileChecksum>>;
  /** Fingerprint of `run` and `files`, so that a damaged manifest does not blame a file. */
  readonly fingerprint?: string;
}

const fingerprintOfManifest = ({ run, files }: Pick<FolderManifest, 'run' | 'files'>): string =>
  fingerprintOf([new TextEncoder().encode(JSON.stringify([run, files]))]);

/** The manifest of files with these checksums. */
export const manifestWith = (
  run: string | undefined,
  files: Readonly<Record<string, FileChecksum>>,
): FolderManifest => ({
  format: 'heddle-folder',
  version: 1,
  run,
  files,
  fingerprint: fingerprintOfManifest({ run, files }),
});

/** Name of the commit record in the hidden folder of a replacement. */
export const recordName = 'commit.json';

/** Whether a path is a folder. */
export const isFolder = (files: Files, path: string): Promise<boolean> =>
  files.list(path).then(
    () => true,
    () => false,
  );

/** Throws a HeddleError if a name from a file of the folder leads out of the folder. */
export function checkName(name: unknown, path: string): void {
  const isInside =
    typeof name === 'string' && name.split(/[\\/]/).every((part) => !['', '.', '..'].includes(part));
  if (!isInside || /^\w:/.test(name))
    throw new HeddleError(msg`${JSON.stringify(name)} is not the name of a file in the folder`, {
      area: path,
      kind: 'input',
    });
}

/** Parses a manifest. Throws a HeddleError that names the file if it is damaged. */
export function parseManifest(bytes: Uint8Array, path: string): FolderManifest {
  const manifest = parseJson(bytes, path) as unknown as FolderManifest;
  const { format, version, files, fingerprint } = manifest;
  if (
    format !== 'heddle-folder' ||
    version !== 1 ||
    !isObject(files) ||
    !Object.values(files).every(isChecksum) ||
    (fingerprint ?? fingerprintOfManifest(manifest)) !== fingerprintOfManifest(manifest)
  )
    throw new HeddleError(
      'the file is damaged, or heddle is too old; restore it, or delete it to use the folder as it is',
      { area: path, kind: 'input' },
    );
  for (const name of Object.keys(files)) checkName(name, path);
  return manifest;
}

const isChecksum = (value: unknown): boolean =>
  isObject(value) && typeof value.size === 'number' && typeof value.sha256 === 'string';

/** Files of a model or checkpoint that versions without a manifest wrote. */
export const namesBeforeManifests = [
  'config.json',
  'model.safetensors',
  'source-tokenizer.json',
  'target-tokenizer.json',
  'tokenizer.json',
  'adapter_config.json',
  'adapter_model.safetensors',
  'optimizer.safetensors',
  'state.json',
  'log.jsonl',
  'report.html',
];

/**
 * The manifest of a folder of heddle's format that an older version wrote: the files with the names of a model
 * or a checkpoint. Undefined if neither config.json nor state.json are heddle's.
 */
async function adoptedManifest(files: Files, folder: string): Promise<FolderManifest | undefined> {
  const json = async (name: string) =>
    (await files.exists(`${folder}/${name}`)) ? readJson(files, `${folder}/${name}`).catch(() => ({})) : {};
  const { format }: Json = await json('config.json');
  const { version, step, engine }: Json = await json('state.json');
  const isState = version === 1 && typeof step === 'number' && typeof engine === 'string';
  if (!(typeof format === 'string' && format.startsWith('heddle')) && !isState) return undefined;
  const others = isState ? [] : ['log.jsonl', 'report.html']; // only checkpoints have them
  const own: Record<string, FileChecksum> = {};
  for (const name of await files.list(folder))
    if (namesBeforeManifests.includes(name) && !others.includes(name))
      own[name] = await checksumOfFile(files, `${folder}/${name}`);
  return manifestWith(undefined, own);
}

/** The manifest of a folder without an unfinished replacement, or that of an older version's folder. */
export const ownedBy = async (files: Files, folder: string): Promise<FolderManifest | undefined> =>
  (await manifestIn(files, folder)) ?? (await adoptedManifest(files, folder));

/** The manifest in a folder; undefined if there is none. Throws a HeddleError if it is damaged. */
export async function manifestIn(files: Files, folder: string): Promise<FolderManifest | undefined> {
  const path = `${folder}/${manifestName}`;
  if (!(await files.exists(path))) return undefined;
  return parseManifest(await files.read(path), path);
}

/** Whether a file directly in a model folder is one that no manifest lists: of an unfinished replacement, or a cache. */
export const isUnlisted = (name: string): boolean =>
  isStaging(name) || (cacheNames as readonly string[]).includes(name);

/** Files and folders in a folder that heddle did not write. `own`: the paths of heddle's files. */
export async function foreignIn(
  files: Files,
  folder: string,
  own: readonly string[],
  inside = '',
): Promise<string[]> {
  const foreign: string[] = [];
  for (const name of await namesIn(files, folder + (inside && `/${inside}`))) {
    const path = inside ? `${inside}/${name}` : name;
    if (own.includes(path) || path === manifestName || (!inside && isUnlisted(name))) continue;
    if (own.some((other) => other.startsWith(`${path}/`)) && (await isFolder(files, `${folder}/${path}`)))
      foreign.push(...(await foreignIn(files, folder, own, path)));
    else foreign.push(path);
  }
  return foreign;
}

/** The manifest of files given by name. `kept`: other files that stay. */
export async function manifestOf(
  parts: Readonly<Record<string, Uint8Array>>,
  run: string | undefined,
  kept: Readonly<Record<string, FileChecksum>> = {},
): Promise<FolderManifest> {
  const checksums: Record<string, FileChecksum> = { ...kept };
  for (const [name, bytes] of Object.entries(parts)) checksums[name] = await checksumOf(bytes);
  return manifestWith(run, checksums);
}
