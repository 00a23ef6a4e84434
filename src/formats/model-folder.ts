// Loads a model folder in any format of the table, which its config.json or its files tell.

import { HeddleError } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import type { Files } from '../files/files.ts';
import { isObject, type Json, readJson } from '../files/json-files.ts';
import { modelFileNames as names } from '../files/model-file.ts';
import { requireFile } from '../files/require-file.ts';
import { readSettled, settledFolder } from '../files/settled-folder.ts';
import { readVerifiedModel } from '../files/verified-files.ts';
import type { SourceKinds } from '../model/source-kind.ts';
import { rejectLoraFolder } from './lora-files.ts';
import { allFormats } from './main-formats.ts';
import type { ModelFormat } from './model-format.ts';
import { type DescribedModel, heddleFormat, type SavedModel } from './shared/saved-model.ts';

/** How to load a model folder. */
export interface LoadFolderOptions {
  /** Formats of guests (`Features.formats`). [none] */
  readonly formats?: readonly ModelFormat[];
  /** Kinds of sources of guests (`Features.sourceKinds`). [none] */
  readonly sourceKinds?: SourceKinds;
  /**
   * Read the weights of a Hugging Face folder when they are needed (`SavedModel.stored`); `large`: if they take
   * at least 256 MiB. Their checksums are compared meanwhile: await `SavedModel.verified` before you give any result.
   * [false]
   */
  readonly inParts?: boolean | 'large';
}

/**
 * config.json of a folder, or of the version that a save was replacing; undefined if there is none or it is
 * invalid.
 */
async function configIn(files: Files, folder: string): Promise<Json | undefined> {
  const path = `${await settledFolder(files, folder)}/${names.config}`;
  if (!(await files.exists(path))) return undefined;
  return readJson(files, path).catch(() => undefined);
}

/** Whether a folder has a model in heddle's format, by its config.json. */
export const isHeddleFolder = async (files: Files, folder: string): Promise<boolean> =>
  (await configIn(files, folder))?.format === heddleFormat;

/** Whether a folder has a model in any format, by its config.json or its files. `formats`: those of guests. */
export async function isModelFolder(
  files: Files,
  folder: string,
  formats: readonly ModelFormat[],
): Promise<boolean> {
  const config = await configIn(files, folder);
  return (await formatOf(files, folder, config, formats)) !== undefined;
}

/** The format of a folder, by its config.json or, if it has none, by its files. */
async function formatOf(
  files: Files,
  path: string,
  config: Json | undefined,
  guests: readonly ModelFormat[],
): Promise<ModelFormat | undefined> {
  const formats = allFormats(guests);
  if (config) return formats.find((format) => format.isConfig?.(config));
  for (const format of formats) if (await format.isFolder?.(files, path)) return format;
  return undefined;
}

/**
 * Loads a model folder in any format of the table. Throws a HeddleError that names the file if it is missing, invalid
 * or changed after it was written, or if weights or tokenizers do not match the configuration.
 */
export async function loadModelFolder(
  files: Files,
  folder: string,
  options: LoadFolderOptions = {},
): Promise<SavedModel> {
  if (!(await files.exists(folder)))
    throw new HeddleError('there is no such folder', { area: folder, kind: 'not-found' });
  return readSettled(files, folder, (at, manifest) => loadVerified(files, at, manifest, options));
}

/** Loads a model and compares its files with the manifest of the folder. */
async function loadVerified(
  files: Files,
  at: string,
  manifest: string,
  options: LoadFolderOptions,
): Promise<SavedModel> {
  const read = (own: Files) => loadFormat(own, at, options);
  const model = await (manifest ? readVerifiedModel(files, at, manifest, read) : read(files));
  if (!options.inParts) await model.verified;
  return model;
}

async function loadFormat(
  files: Files,
  path: string,
  { formats = [], sourceKinds = {}, inParts = false }: LoadFolderOptions,
): Promise<SavedModel> {
  const configPath = `${path}/${names.config}`;
  const config = (await files.exists(configPath)) ? await readJson(files, configPath) : undefined;
  const format = await formatOf(files, path, config, formats);
  if (!format?.read) {
    if (!config) {
      await rejectLoraFolder(files, path);
      await requireFile(files, path, names.config);
    }
    throw new HeddleError(
      msg`not a model: it has neither "format": "${heddleFormat}" nor a "model_type" of Hugging Face, and is of no other format that can be read here (${readable(formats)})`,
      { area: configPath },
    );
  }
  return format.read({
    files,
    path,
    config,
    inParts,
    sourceKinds,
    readOrigin: (json, modelConfig) => readOrigin(files, path, json, modelConfig, formats),
  });
}

/** The names of the formats that can be read. */
const readable = (guests: readonly ModelFormat[]): string =>
  allFormats(guests)
    .flatMap(({ names: own, read }) => (read ? own : []))
    .join(', ');

/** Reads the source checkpoint of a model, the field `origin` of its config.json. */
async function readOrigin(
  files: Files,
  path: string,
  json: unknown,
  modelConfig: SavedModel['config'],
  guests: readonly ModelFormat[],
): Promise<DescribedModel> {
  const { config } = isObject(json) ? json : {};
  const format = isObject(config)
    ? allFormats(guests).find((each) => each.readOrigin && each.isConfig?.(config))
    : undefined;
  if (!format?.readOrigin || !isObject(json))
    throw new HeddleError('the field origin is invalid', { area: `${path}/${names.config}` });
  return format.readOrigin(files, path, json, modelConfig);
}
