// A heddle folder whose model came from Hugging Face: what it keeps of its origin, and the tokenizers and rules that follow from it.

import { HeddleError } from '../../core/errors.ts';
import { isObject, type Json } from '../../core/records.ts';
import type { Files } from '../../files/files.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import { type HfOrigin, weightDtypes } from '../shared/hf-source.ts';
import type { SavedModel } from '../shared/saved-model.ts';
import { readHfConfig } from './hf-config.ts';
import { readHfTokenizers, tokenizerFiles } from './hf-tokenizers.ts';

/** All of a model but its weights, of `origin` in the config.json of a heddle folder. Throws a HeddleError where it is not sound. */
export async function reopenOrigin(
  files: Files,
  folder: string,
  json: unknown,
  config: ModelConfig,
): Promise<Omit<SavedModel, 'weights'>> {
  const path = `${folder}/config.json`;
  const {
    config: raw,
    generation,
    texts = {},
    prefix,
    dtype,
    dtypes,
    aliases,
    absent = [],
  } = isObject(json) ? json : {};
  const sound =
    isObject(raw) &&
    (generation === undefined || isObject(generation)) &&
    (prefix === 'model.' || prefix === '') &&
    weightDtypes.includes(dtype as HfOrigin['dtype']) &&
    isObject(texts) &&
    [texts.config, texts.generation].every((text) => text === undefined || typeof text === 'string') &&
    isObject(dtypes) &&
    Object.values(dtypes).every((d) => weightDtypes.includes(d as HfOrigin['dtype'])) &&
    [aliases, absent].every((list) => Array.isArray(list) && list.every((name) => typeof name === 'string'));
  if (!sound) throw new HeddleError(`${path}: the field origin is not what heddle writes`);
  const own: Record<string, Uint8Array> = {};
  for (const name of tokenizerFiles)
    if (await files.exists(`${folder}/${name}`)) own[name] = await files.read(`${folder}/${name}`);
  const { decode } = readHfConfig(raw, generation as Json | undefined, undefined, `${path}: origin`);
  const { source, target } = readHfTokenizers(raw, config, own, folder);
  const origin = { ...(json as unknown as Omit<HfOrigin, 'files'>), files: own };
  return { config, source, target, decode, origin };
}
