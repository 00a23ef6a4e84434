// Folders of Whisper: the readers and the writer of Hugging Face's folders with the family of whisper-config.ts.

import type { Files } from '../../files/files.ts';
import type { Json } from '../../files/json-files.ts';
import { readHfConfig } from '../../formats/hf/hf-config.ts';
import { loadHf, readHfOrigin } from '../../formats/hf/load-hf.ts';
import { hfFiles } from '../../formats/hf/save-hf.ts';
import type { DescribedModel, SavedModel, WeightDtype } from '../../formats/shared/saved-model.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import type { SourceKinds } from '../../model/source-kind.ts';
import { whisper } from './whisper-config.ts';

/** Loads a folder. Throws as `loadHf`. */
export const loadWhisper = (
  files: Files,
  folder: string,
  raw: Json | undefined,
  sourceKinds: SourceKinds,
  inParts?: boolean | 'large',
): Promise<SavedModel> => loadHf(files, folder, raw, sourceKinds, inParts, whisper);

/** The configuration in a config.json. Throws as `readHfConfig`. */
export const readWhisperConfig = (raw: Json, path: string): ModelConfig =>
  readHfConfig(raw, undefined, undefined, path, whisper).config;

/** The source checkpoint that another format keeps. Throws as `readHfOrigin`. */
export const readWhisperOrigin = (
  files: Files,
  folder: string,
  json: Json,
  config: ModelConfig,
): Promise<DescribedModel> => readHfOrigin(files, folder, json, config, whisper);

/** The files of a folder. Throws as `hfFiles`. */
export const whisperFiles = (model: SavedModel, dtype?: string): Record<string, Uint8Array> =>
  hfFiles(model, whisper.type, dtype?.toUpperCase() as WeightDtype | undefined, whisper);
