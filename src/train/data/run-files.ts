// Names of the files that a training run writes to its model folder, and beside it.

import { type Files, withoutEndSlash } from '../../files/files.ts';
import { ownedBy } from '../../files/folder-manifest.ts';
import { type CacheName, checkpointNames, modelFileNames } from '../../files/model-file.ts';
import { checkWritableFolder } from '../../files/owned-folder.ts';
import { loraFileNames } from '../../formats/lora-files.ts';
import { corpusFile } from '../data/corpus-kinds.ts';
import { logName, reportName } from '../report/training-log.ts';

const runFileNames: readonly string[] = [
  ...Object.values(modelFileNames),
  ...Object.values(checkpointNames),
  ...Object.values(loraFileNames),
  logName,
  reportName,
  corpusFile,
];

/** Path of a cache in a model folder, or beside an archive. */
const cachePath = (out: string, name: CacheName): string =>
  /\.zip$/i.test(out) ? `${out.slice(0, -4)}.${name}` : `${withoutEndSlash(out)}/${name}`;

/** Path of the cache of token ids (token-cache.ts) of a model folder or archive. */
export const tokenCachePath = (out: string): string => cachePath(out, 'tokens.cache');

/** Path of the cache of sources that are not text, of a model folder or archive. */
export const sourceCachePath = (out: string): string => cachePath(out, 'sources.cache');

/**
 * Throws a HeddleError that names the files of others if a training may not write its checkpoints to a folder:
 * heddle did not write the folder, or files of a run would replace them.
 */
export const checkRunFolder = (files: Files, folder: string): Promise<void> =>
  checkWritableFolder(files, folder, runFileNames);

/** Whether heddle wrote a model to a folder, also if its config.json is damaged now. */
export const ownsModel = async (files: Files, folder: string): Promise<boolean> =>
  Object.keys((await ownedBy(files, folder))?.files ?? {}).some((name) => name.endsWith('.safetensors'));

const sentencePieceNames = ['tokenizer.model', 'source-tokenizer.model', 'target-tokenizer.model'];

/** Whether a run with the model folder or archive `out` writes a file. Both paths are absolute. */
export const isRunFile = (path: string, out: string): boolean =>
  [out, tokenCachePath(out), sourceCachePath(out)].includes(path) ||
  [...runFileNames, ...sentencePieceNames].some((name) => path === `${out}/${name}`);
