// The configuration of a saved model, without its weights.

import { check, withErrorPrefix } from '../core/errors.ts';
import type { Files } from '../files/files.ts';
import { isObject, type Json, readJson } from '../files/json-files.ts';
import { modelFileNames } from '../files/model-file.ts';
import { type ModelConfig, type ModelOptions, modelConfig } from '../model/model-config.ts';

/**
 * The configuration in a config.json of heddle or Hugging Face. Throws a HeddleError that names the file and the field
 * if it is missing or not supported.
 */
export async function readConfig(raw: Json, path: string): Promise<ModelConfig> {
  if (raw.model_type === undefined) {
    check(
      isObject(raw.model),
      `${path}: it has neither the field model (heddle) nor model_type (Hugging Face); give the config.json of such a model`,
    );
    return withErrorPrefix(path, () => modelConfig(raw.model as ModelOptions));
  }
  const { readHfConfig } = await import('../formats/hf/hf-config.ts');
  return readHfConfig(raw, undefined, undefined, path).config;
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
