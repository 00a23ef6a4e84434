// Loads a model folder with other weights than f32, LoRA adapters, further models of an ensemble or a memory budget.

import type { ModelConfig } from '../model/model-config.ts';
import { storedParameters } from '../model/quantized-parameters.ts';
import { openModel } from '../session/open-model.ts';
import type { Session } from '../session/session.ts';
import { openMembers } from './ensemble-model.ts';
import { type FolderOptions, isFolder } from './load-options.ts';
import { checkMemory } from './memory-needs.ts';
import type { BaseModel, ModelMaker } from './model.ts';
import { addLoras, mergedLora } from './model-loras.ts';
import { checkConfig } from './read-config.ts';

/** See `openFolder`. */
export async function openVariant<M extends BaseModel>(
  make: ModelMaker<M>,
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
): Promise<M> {
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
    await checkMemory(name, config, session, storage, inMemory);
  };
  if (!isChecked) await checkConfig(files, folder, checkNeeds);
  const base = await openModel(folder, place, {
    ...options,
    inParts: !merged && inParts,
  });
  const saved = merged ? await mergedLora(session, base, single) : base;
  if (!isChecked) await checkNeeds(saved.config);
  if (ensemble.length > 0) {
    const switches = !merged && lora !== undefined;
    return openMembers(make, saved, ensemble, session, options, { ...storage, name, ownsSession, switches });
  }
  const parameters = storedParameters(saved.config, storage, saved.sourceKind);
  const model = make(saved, session, { name, parameters, ownsSession });
  if (merged || lora === undefined) return model;
  return addLoras(model, lora, single);
}
