// Loads a model folder with other weights than f32, LoRA adapters, further models of an ensemble or a memory budget,
// and checks the options of loadModel; a call without options does not load this file.

import { check, checkSignal } from '../core/errors.ts';
import { checkFields, checkNames, choice } from '../core/fields.ts';
import type { FolderSource } from '../files/given-files.ts';
import { isObject } from '../files/json-files.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { storedParameters, weightFormats } from '../model/quantized-parameters.ts';
import { openModel } from '../session/open-model.ts';
import type { Session } from '../session/session.ts';
import type { FolderOptions, LoadOptions } from './load-options.ts';
import { Model } from './model.ts';

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
  check(
    lora === undefined || isFolder(lora) || isObject(lora),
    'loadModel: lora must be a folder, or folders by name',
  );
  check(ensemble === undefined || Array.isArray(ensemble), 'loadModel: ensemble must be a list of models');
}

/** See `openFolder`. */
export async function openVariant(
  folder: string,
  session: Session,
  {
    lora,
    ensemble = [],
    inMemory,
    name = folder,
    files = session.files,
    isChecked: given,
    ...rest
  }: FolderOptions,
): Promise<Model> {
  const { ownsSession, weights, weightsExclude, sourceLang, targetLang } = rest;
  const storage = { weights, weightsExclude };
  const quantized = (weights ?? 'f32') !== 'f32';
  const single = isFolder(lora) ? lora : undefined;
  const merged = single !== undefined && !quantized;
  const inParts = quantized || (inMemory === undefined ? 'large' : !inMemory);
  const options = { sourceLang, targetLang, inParts } as const;
  const place = { files, emit: session.emit, features: session.features };
  // Before the weights are read, if the folder has a configuration; archives and models of Marian after that.
  let isChecked = given || session.memoryBudget === undefined;
  const checkNeeds = async (config: ModelConfig) => {
    isChecked = true;
    await (await import('./memory-needs.ts')).checkMemory(name, config, session, storage, inMemory);
  };
  if (!isChecked) await (await import('./read-config.ts')).checkConfig(files, folder, checkNeeds);
  const base = await openModel(folder, place, {
    ...options,
    inParts: !merged && inParts,
  });
  const saved = merged ? await (await import('./model-loras.ts')).mergedLora(session, base, single) : base;
  if (!isChecked) await checkNeeds(saved.config);
  if (ensemble.length > 0) {
    const { openMembers } = await import('./ensemble-model.ts');
    const switches = !merged && lora !== undefined;
    return openMembers(saved, ensemble, session, options, { ...storage, name, ownsSession, switches });
  }
  const parameters = storedParameters(saved.config, storage, saved.sourceKind);
  const model = new Model(saved, session, { name, parameters, ownsSession });
  if (merged || lora === undefined) return model;
  return (await import('./model-loras.ts')).addLoras(model, lora, single);
}

/** Whether `lora` is one adapter. */
const isFolder = (lora: LoadOptions['lora']): lora is FolderSource =>
  typeof lora === 'string' || Array.isArray(lora) || lora instanceof Blob;
