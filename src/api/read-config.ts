// The configuration of a saved model, without its weights.

import { check } from '../core/errors.ts';
import type { Files } from '../files/files.ts';
import { type Json, readJson } from '../files/json-files.ts';
import { modelFileNames } from '../files/model-file.ts';
import { mainFormats } from '../formats/main-formats.ts';
import type { ModelConfig } from '../model/model-config.ts';

/**
 * The configuration in a config.json of heddle or Hugging Face. Throws a HeddleError that names the file and the field
 * if it is missing or not supported.
 */
export async function readConfig(raw: Json, path: string): Promise<ModelConfig> {
  const format = mainFormats.find(({ isConfig, readConfig }) => readConfig && isConfig?.(raw));
  check(
    format?.readConfig,
    'it is neither a config.json of heddle ("format": "heddle") nor one of Hugging Face (model_type)',
    { area: path },
  );
  return format.readConfig(raw, path);
}

/** Receives the configuration of a model before its weights are read or downloaded; it may throw. */
export type OnConfig = (config: ModelConfig) => Promise<void>;

/** Calls `onConfig` with the configuration in a folder. One that heddle does not read is an error later. */
export async function checkConfig(files: Files, folder: string, onConfig: OnConfig): Promise<void> {
  const path = `${folder}/${modelFileNames.config}`;
  let config: ModelConfig;
  try {
    config = await readConfig(await readJson(files, path), path);
  } catch {
    return;
  }
  await onConfig(config);
}
