// Reads the folders of Hugging Face: config.json, the weights, and the tokenizers' files.

import type { Json } from '../../core/records.ts';
import type { Files } from '../../files/files.ts';
import { readJson } from '../../files/json-files.ts';
import { initializeWeights, parameterList } from '../../model/parameters.ts';
import { sinusoids } from '../../ops/embedding/position-tables.ts';
import type { HfOrigin } from '../shared/hf-source.ts';
import type { SavedModel } from '../shared/saved-model.ts';
import { type HfConfig, readHfConfig } from './hf-config.ts';
import { bankOfTensors, prefixOf, readWeights, type StoredTensor, weightNames } from './hf-tensors.ts';
import { readHfTokenizers, tokenizerFiles } from './hf-tokenizers.ts';
import { inferMarian } from './infer-config.ts';

/** Seed of the weights of a folder that has none. */
const seed = 1;

/**
 * Reads a BART or MarianMT folder; `raw` is its config.json, undefined where it has none. A folder with a configuration alone gets
 * random weights, and a note says so. Throws a HeddleError that names the file and what is wrong or not supported.
 */
export async function loadHfFolder(files: Files, folder: string, raw: Json | undefined): Promise<SavedModel> {
  const notes: string[] = [];
  const tensors = await readWeights(files, folder);
  const json = raw ?? inferMarian(tensors ?? new Map(), `${folder}/${weightNames.whole}`);
  const generationPath = `${folder}/generation_config.json`;
  const generation = (await files.exists(generationPath)) ? await readJson(files, generationPath) : undefined;
  const textOf = async (path: string) => new TextDecoder().decode(await files.read(path));
  const texts = {
    ...(raw && { config: await textOf(`${folder}/config.json`) }),
    ...(generation && { generation: await textOf(generationPath) }),
  };
  const found = withStoredPositions(readConfig(folder, json, generation, tensors), tensors);
  const { config } = found;
  if (!raw)
    notes.push(
      `${folder}: there is no config.json; read as MarianMT with ${config.heads} head${config.heads > 1 ? 's' : ''}, ` +
        `padding ${config.padId} and end ${config.endId}, which the weights do not tell`,
    );
  const p = parameterList(config);
  if (!tensors) notes.push(`${folder}: there are no weights, only a configuration; RANDOM weights are used`);
  const { bank, stored } = tensors
    ? bankOfTensors(config, p, tensors, folder)
    : {
        bank: initializeWeights(config, p, seed, 'truncated-normal'),
        stored: { prefix: 'model.', dtype: 'F32', dtypes: {}, aliases: [] } as const,
      };
  const own: Record<string, Uint8Array> = {};
  for (const name of tokenizerFiles)
    if (await files.exists(`${folder}/${name}`)) own[name] = await files.read(`${folder}/${name}`);
  const { source, target, notes: more } = readHfTokenizers(json, config, own, folder);
  const origin: HfOrigin = { config: json, ...(generation && { generation }), texts, ...stored, files: own };
  return { config, source, target, weights: bank, decode: found.decode, origin, notes: [...notes, ...more] };
}

/** The configuration, with what only the weights tell. */
function readConfig(
  folder: string,
  json: Json,
  generation: Json | undefined,
  tensors: ReadonlyMap<string, StoredTensor> | undefined,
): HfConfig {
  const prefix = tensors ? prefixOf(tensors) : 'model.';
  const has = (name: string) => tensors?.has(`${prefix}${name}`) ?? false;
  const found = readHfConfig(json, generation, has, `${folder}/config.json`);
  const bias = !tensors || tensors.has('final_logits_bias');
  return { ...found, config: { ...found.config, outputBias: bias } };
}

/**
 * Computed positions may be stored nevertheless. Where they are not the very numbers that this engine computes, the stored ones are
 * taken, as a table that could learn.
 */
function withStoredPositions(found: HfConfig, tensors: ReadonlyMap<string, StoredTensor> | undefined): HfConfig {
  const c = found.config;
  if (!tensors || c.positions === 'learned') return found;
  const stored = ['encoder', 'decoder'].map(
    (s) => tensors.get(`${prefixOf(tensors)}${s}.embed_positions.weight`)?.data,
  );
  const computed = sinusoids(c.maxLength, c.dModel, 'halves');
  const differs = stored.some(
    (data) => data && (data.length !== computed.length || data.some((x, i) => x !== computed[i])),
  );
  return differs ? { ...found, config: { ...c, positions: 'learned', positionOffset: 0 } } : found;
}
