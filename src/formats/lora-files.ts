// The files of a folder with a LoRA adapter: their names, and the base model that the folder names.

import { HeddleError } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import type { Files } from '../files/files.ts';
import { readJson } from '../files/json-files.ts';
import { settledFolder } from '../files/settled-folder.ts';

/** Names of the files. */
export const loraFileNames = { config: 'adapter_config.json', weights: 'adapter_model.safetensors' } as const;

/** Whether a folder has a LoRA adapter. */
export const isLoraFolder = async (files: Files, folder: string): Promise<boolean> =>
  files.exists(`${await settledFolder(files, folder)}/${loraFileNames.config}`);

/** Throws a HeddleError if a folder, which has no model, has a LoRA adapter. */
export async function rejectLoraFolder(files: Files, folder: string): Promise<void> {
  if (!(await isLoraFolder(files, folder))) return;
  throw new HeddleError(
    msg`a LoRA adapter without its model; load its model with this adapter (its base model is ${await loraBaseModel(files, folder)})`,
    { area: folder, kind: 'input' },
  );
}

/** The base model that a LoRA adapter names. Throws a HeddleError if it names none. */
export async function loraBaseModel(files: Files, folder: string): Promise<string> {
  const path = `${await settledFolder(files, folder)}/${loraFileNames.config}`;
  const { base_model_name_or_path: base } = await readJson(files, path);
  if (typeof base !== 'string' || base === '')
    throw new HeddleError(
      msg`base_model_name_or_path is ${JSON.stringify(base)}, it must be the folder of the base model`,
      { area: path },
    );
  return base;
}
