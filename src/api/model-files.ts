// Saved models as files: their configuration, archives with checkpoint and log, imports, and downloads from the hub.

import { check, HeddleError, withErrorPrefix } from '../core/errors.ts';
import { type Files, writeFolder } from '../files/files.ts';
import { isObject, readJson } from '../files/json-files.ts';
import { memoryFiles } from '../files/memory-files.ts';
import { modelFileNames } from '../files/model-file.ts';
import { loadModelFolder } from '../formats/model-folder.ts';
import type { HttpOptions } from '../hub/http.ts';
import type { PulledModel, PullProgress } from '../hub/pull-model.ts';
import { type ModelConfig, type ModelOptions, modelConfig } from '../model/model-config.ts';
import { parameterList } from '../model/parameters.ts';
import { currentPlatform } from './platform.ts';

/** Options that locate a saved model. */
export interface ModelPlace {
  /** Files with the folder. [the files of the platform, with the names of `save` and `checkpoint`] */
  readonly files?: Files;
}

/** Resolves a name to files and the path of a folder in them. */
export function placeOf(name: string, { files }: ModelPlace): { readonly files: Files; readonly folder: string } {
  if (files) return { files, folder: name };
  const platform = currentPlatform();
  return { files: platform.files, folder: platform.modelPath(name) };
}

/** Size of a model. */
export interface ModelFacts {
  readonly config: ModelConfig;
  /** Number of weights. */
  readonly parameters: number;
}

/**
 * Reads the configuration of a saved model of heddle or Hugging Face, not its weights. Throws a HeddleError that names
 * the file and the field if it is missing or not supported.
 *
 * @example
 * const { config, parameters } = await readModelFacts('out');
 * console.log(config.dModel, parameters);
 */
export async function readModelFacts(name: string, place: ModelPlace = {}): Promise<ModelFacts> {
  const { files, folder } = placeOf(name, place);
  const path = `${folder}/${modelFileNames.config}`;
  const raw = await readJson(files, path);
  if (raw.model_type === undefined) {
    check(isObject(raw.model), `${path}: it has no field model and no model_type; it is not of heddle or Hugging Face`);
    const config = withErrorPrefix(path, () => modelConfig(raw.model as ModelOptions));
    return { config, parameters: parameterList(config).count };
  }
  const { readHfConfig } = await import('../formats/hf/hf-config.ts');
  const { config } = readHfConfig(raw, undefined, undefined, path);
  return { config, parameters: parameterList(config).count };
}

/**
 * Packs a saved model into a .zip archive with all its files: checkpoint and log too, unlike `Model.toBlob`.
 *
 * @example
 * const archive = await packModel('out');
 */
export async function packModel(name: string, place: ModelPlace = {}): Promise<Blob> {
  const { files, folder } = placeOf(name, place);
  const { packFolder } = await import('../files/archive-files.ts');
  return new Blob((await packFolder(files, folder)) as BlobPart[], { type: 'application/zip' });
}

/**
 * Stores the model of a .zip archive or safetensors file under a name, with its checkpoint; an existing model is
 * replaced. Throws a HeddleError, and stores nothing, if the model cannot be loaded.
 *
 * @example
 * await importModel(file, 'en-es');
 */
export async function importModel(file: File, name: string, place: ModelPlace = {}): Promise<void> {
  const { files, folder } = placeOf(name, place);
  const { unpackModelFile } = await import('../files/archive-files.ts');
  const parts = await unpackModelFile(new Uint8Array(await file.arrayBuffer()), file.name);
  const unpacked = new Map(Object.entries(parts).map(([part, bytes]) => [`${folder}/${part}`, bytes]));
  await loadModelFolder(memoryFiles(unpacked), folder);
  await writeFolder(files, folder, parts);
}

/** Options of a download. */
export interface DownloadOptions {
  /** Branch, tag or commit on the hub. ['main'] */
  readonly revision?: string;
  /** URL of the hub. [https://huggingface.co; in Node HF_ENDPOINT] */
  readonly hub?: string;
  /** Access token for models that are not public. [in Node HF_TOKEN] */
  readonly token?: string;
  /** Stops a download: the call rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Receives the progress of a download. */
  readonly onDownload?: (progress: PullProgress) => void;
}

/** Options of `pullModel`. */
export interface PullOptions extends ModelPlace, DownloadOptions, Partial<Omit<HttpOptions, 'signal' | 'token'>> {
  /** Folder of the incomplete download. [NAME.part] */
  readonly partial?: string;
  /**
   * Whether to check that heddle reads the model: its configuration before the weights are downloaded, all of it at the
   * end. A model that fails is deleted. [false]
   */
  readonly check?: boolean;
}

/**
 * Downloads `OWNER/NAME` or `OWNER/NAME@REVISION` from the hub and stores it under a name; an existing model is replaced
 * when the download is complete. A call after an interruption continues the download. Throws a HeddleError that says what
 * to do, or the signal's reason.
 *
 * @example
 * await pullModel('Helsinki-NLP/opus-mt-en-es', 'en-es', { onDownload: ({ loaded, total }) => console.log(loaded / total) });
 */
export async function pullModel(model: string, name: string, options: PullOptions = {}): Promise<PulledModel> {
  const { files, folder } = placeOf(name, options);
  const [{ pull }, { repository }] = await Promise.all([
    import('../hub/pull-model.ts'),
    import('../hub/repository.ts'),
  ]);
  const platform = currentPlatform();
  const { hub = platform.hub, token = platform.hubToken, onDownload = () => {}, partial } = options;
  const [, path = '', revision = options.revision ?? 'main'] = /^([^@]*)(?:@(.*))?$/.exec(model.trim()) ?? [];
  const from = repository(path, revision, hub);
  const http: HttpOptions = {
    fetch: options.fetch ?? ((...request) => fetch(...request)),
    token,
    signal: options.signal ?? new AbortController().signal,
    idleTimeout: options.idleTimeout ?? 60_000,
    retryDelay: options.retryDelay ?? 500,
    maxRetries: options.maxRetries ?? 5,
    ...(options.hints && { hints: options.hints }),
    fallbackHub: options.fallbackHub,
  };
  return pull(files, http, from, folder, onDownload, {
    ...(partial !== undefined && { partial }),
    ...(options.check && { check: (part, file) => checkPulled(files, part, file, from.name) }),
  });
}

/** Checks a download after each file, and at the end; errors name the model, not the folder of the download. */
async function checkPulled(files: Files, folder: string, file: string | undefined, model: string): Promise<void> {
  try {
    if (file === undefined) await loadModelFolder(files, folder);
    else if (file === modelFileNames.config && (await readJson(files, `${folder}/${file}`)).model_type !== undefined)
      await readModelFacts(folder, { files });
  } catch (error) {
    if (!(error instanceof HeddleError)) throw error;
    throw new HeddleError(error.message.replaceAll(folder, model), { cause: error });
  }
}
