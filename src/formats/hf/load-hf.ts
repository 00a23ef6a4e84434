// Reads the folders of Hugging Face: config.json, the weights, and the tokenizers' files.

import { HeddleError } from '../../core/errors.ts';
import { isObject, type Json } from '../../core/records.ts';
import type { Files } from '../../files/files.ts';
import { readJson } from '../../files/json-files.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import { initializeWeights, parameterList } from '../../model/parameters.ts';
import { sinusoids } from '../../ops/embedding/embedding.ts';
import { type SavedModel, type SourceCheckpoint, weightDtypes } from '../shared/saved-model.ts';
import { type HfConfig, readHfConfig } from './hf-config.ts';
import { bankOfTensors, prefixOf, readWeights, type StoredTensor, weightNames } from './hf-tensors.ts';
import { hfTokenizerFileNames, readHfTokenizers } from './hf-tokenizers.ts';

/** Seed of the weights of a folder that has none. */
const seed = 1;

/**
 * Reads a BART or MarianMT folder; `raw` is its config.json, undefined where it has none. A folder with a configuration alone gets
 * random weights, and a note says so. Throws a HeddleError that names the file and what is wrong or not supported.
 */
export async function loadHf(files: Files, folder: string, raw: Json | undefined): Promise<SavedModel> {
  const notes: string[] = [];
  const tensors = await readWeights(files, folder);
  const json = raw ?? inferMarianConfig(tensors ?? new Map(), `${folder}/${weightNames.whole}`);
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
  for (const name of hfTokenizerFileNames)
    if (await files.exists(`${folder}/${name}`)) own[name] = await files.read(`${folder}/${name}`);
  const { source, target, notes: more } = readHfTokenizers(json, config, own, folder);
  const sourceCheckpoint: SourceCheckpoint = {
    config: json,
    ...(generation && { generation }),
    texts,
    ...stored,
    files: own,
  };
  return { config, source, target, weights: bank, decode: found.decode, sourceCheckpoint, notes: [...notes, ...more] };
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

/** All of a model but its weights, of `origin` in the config.json of a heddle folder. Throws a HeddleError where it is not sound. */
export async function readSourceCheckpoint(
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
    weightDtypes.includes(dtype as SourceCheckpoint['dtype']) &&
    isObject(texts) &&
    [texts.config, texts.generation].every((text) => text === undefined || typeof text === 'string') &&
    isObject(dtypes) &&
    Object.values(dtypes).every((d) => weightDtypes.includes(d as SourceCheckpoint['dtype'])) &&
    [aliases, absent].every((list) => Array.isArray(list) && list.every((name) => typeof name === 'string'));
  if (!sound) throw new HeddleError(`${path}: the field origin is not what heddle writes`);
  const own: Record<string, Uint8Array> = {};
  for (const name of hfTokenizerFileNames)
    if (await files.exists(`${folder}/${name}`)) own[name] = await files.read(`${folder}/${name}`);
  const { decode } = readHfConfig(raw, generation as Json | undefined, undefined, `${path}: origin`);
  const { source, target } = readHfTokenizers(raw, config, own, folder);
  const sourceCheckpoint = { ...(json as unknown as Omit<SourceCheckpoint, 'files'>), files: own };
  return { config, source, target, decode, sourceCheckpoint };
}

/** Width of one head in the models of Helsinki-NLP; narrower models have one head. */
const usualHead = 64;

/** A config.json for weights. Throws a HeddleError, with `path` in it, where they are not in Marian's layout. */
export function inferMarianConfig(tensors: ReadonlyMap<string, StoredTensor>, path: string): Json {
  const prefix = prefixOf(tensors);
  const shapeOf = (name: string) => tensors.get(`${prefix}${name}`)?.shape;
  const layersOf = (stack: string): number => {
    let n = 0;
    while (shapeOf(`${stack}.layers.${n}.fc1.weight`)) n++;
    return n;
  };
  const [vocab, width] = shapeOf('shared.weight') ?? [];
  const [ffn] = shapeOf('encoder.layers.0.fc1.weight') ?? [];
  const [decoderFfn] = shapeOf('decoder.layers.0.fc1.weight') ?? [];
  const foreign = ['embed_positions.weight', 'layernorm_embedding.weight', 'layer_norm.weight'].some((name) =>
    shapeOf(`encoder.${name}`),
  );
  if (vocab === undefined || width === undefined || ffn === undefined || decoderFfn === undefined || foreign)
    throw new HeddleError(
      `${path}: there is no config.json beside it, and its tensors are not in MarianMT's layout, which could do without`,
    );
  const heads = width > usualHead && width % usualHead === 0 ? width / usualHead : 1;
  const pad = vocab - 1;
  return {
    model_type: 'marian',
    architectures: [prefix ? 'MarianMTModel' : 'MarianModel'],
    vocab_size: vocab,
    d_model: width,
    encoder_layers: layersOf('encoder'),
    decoder_layers: layersOf('decoder'),
    encoder_ffn_dim: ffn,
    decoder_ffn_dim: decoderFfn,
    encoder_attention_heads: heads,
    decoder_attention_heads: heads,
    activation_function: 'swish',
    scale_embedding: true,
    max_position_embeddings: 512,
    pad_token_id: pad,
    decoder_start_token_id: pad,
    eos_token_id: 0,
    forced_eos_token_id: 0,
    bad_words_ids: [[pad]],
  };
}
