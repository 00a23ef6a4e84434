// Options of `loadModel`, and their check.

import { check, checkSignal } from '../core/errors.ts';
import { checkFields, checkNames, choice } from '../core/fields.ts';
import type { LanguageOptions } from '../decode/text-options.ts';
import type { Files } from '../files/files.ts';
import type { FolderSource } from '../files/given-files.ts';
import { isObject } from '../files/json-files.ts';
import { type WeightFormat, weightFormats } from '../model/quantized-parameters.ts';
import type { SessionOptions } from '../session/session.ts';
import type { DownloadOptions } from './remote-models.ts';

/** Options of `loadModel`. */
export interface LoadOptions extends SessionOptions, LanguageOptions, DownloadOptions {
  /**
   * Folder of a LoRA adapter, or its files, which is merged into f32 weights. Or several LoRA adapters by name,
   * between which `model.useLora` switches.
   */
  readonly lora?: FolderSource | Readonly<Record<string, FolderSource>>;
  /**
   * Folders, or files, of further models with the same vocabulary: an ensemble. Translation, scores and evaluation use
   * the mean probabilities of all models; `attention` and `save` use the first one. All have the format in
   * `weights`.
   */
  readonly ensemble?: readonly FolderSource[];
  /**
   * Format of the weights on the device: f16, int8 and int4 need less memory and are slightly less exact. In int4
   * sensitive layers stay int8. ['f32']
   */
  readonly weights?: WeightFormat;
  /**
   * Whether to keep the weights in JavaScript memory, as `weights()` needs. If not, they are read in parts into
   * GPU memory. [only weights of less than 256 MiB in f32; never f16, int8 and int4]
   */
  readonly inMemory?: boolean;
  /**
   * Globs of layers that stay int8 with int4 weights, and f32 with others: `*.fc1`, `decoder.*`. `auto` stands
   * for the sensitive layers. ['auto']
   */
  readonly weightsExclude?: readonly string[];
}

/** Options of `openFolder`. */
export interface FolderOptions
  extends Pick<LoadOptions, 'lora' | 'weights' | 'weightsExclude' | 'ensemble' | 'inMemory'>,
    LanguageOptions {
  readonly name?: string;
  /** Files with the folder. [those of the session] */
  readonly files?: Files;
  /** Whether the model closes the session when it is disposed. [false] */
  readonly ownsSession?: boolean;
  /** Whether its memory was compared with the budget before the download. [false] */
  readonly isChecked?: boolean;
}

/** The names of all options of loadModel. */
const optionNames: Readonly<Record<keyof LoadOptions, true>> = {
  lora: true,
  ensemble: true,
  weights: true,
  weightsExclude: true,
  inMemory: true,
  sourceLang: true,
  targetLang: true,
  revision: true,
  hub: true,
  token: true,
  signal: true,
  onDownload: true,
  device: true,
  tune: true,
  maxSubmissionMs: true,
  memoryBudget: true,
  onEvent: true,
};

/** Throws a HeddleError for an option that loadModel does not have, with the one that it resembles. */
export function checkLoadOptions(options: LoadOptions): void {
  const area = { area: 'loadModel' };
  checkNames(area, Object.keys(optionNames), Object.keys(options));
  checkFields(area, { weights: { type: choice(weightFormats, 'format') } }, { weights: options.weights });
  const { lora, ensemble, signal } = options;
  checkSignal(signal);
  check(lora === undefined || isFolder(lora) || isObject(lora), 'lora must be a folder, or folders by name', {
    area: 'loadModel',
  });
  check(ensemble === undefined || Array.isArray(ensemble), 'ensemble must be a list of models', {
    area: 'loadModel',
  });
}

/** Whether `lora` is one adapter. */
export const isFolder = (lora: LoadOptions['lora']): lora is FolderSource =>
  typeof lora === 'string' || Array.isArray(lora) || lora instanceof Blob;
