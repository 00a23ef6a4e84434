// Loads Hugging Face folders, and the source checkpoint that other formats keep under `origin`.

import { HeddleError } from '../../core/errors.ts';
import { counted, filePath, type Message, msg } from '../../core/message.ts';
import { sameValues, sizeOf } from '../../core/tensor.ts';
import { sinusoids } from '../../engine/ops/embedding/sinusoids.ts';
import { type Files, readText } from '../../files/files.ts';
import { tokenizerFileNames, weightNames } from '../../files/hf-file-names.ts';
import { isObject, type Json, readJson } from '../../files/json-files.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import { parameterList } from '../../model/parameters.ts';
import { type SourceKinds, sourceKindOf } from '../../model/source-kind.ts';
import {
  type DescribedModel,
  type SavedModel,
  type SourceCheckpoint,
  weightDtypes,
} from '../shared/saved-model.ts';
import { type HfConfig, readHfConfig } from './hf-config.ts';
import type { HfFamily } from './hf-families.ts';
import { prefixOf } from './hf-tensors.ts';
import { readHfTokenizers } from './hf-tokenizers.ts';
import type { FileTensor } from './stored-weights.ts';
import {
  fingerprintOfWeights,
  openWeights,
  randomWeights,
  sameNumbers,
  storedWeights,
} from './stored-weights.ts';

/** Seed of random weights, and their maximum number (4 GiB). */
const seed = 1;
const maxRandom = 2 ** 30;

/** Weights of at least so many bytes, as f32, are large. */
const largeBytes = 256 * 2 ** 20;

/** A file of fewer bytes is read at once if all weights are read, which is faster: as f16 they are not large. */
const wholeBytes = largeBytes / 2;

/**
 * Loads a folder of one of the families in hf-fields.ts. `raw`: its config.json, undefined if it has none. `inParts`:
 * see `LoadFolderOptions`; only a read of such weights checks that they are finite. A folder without weights gets
 * random weights and a note. Throws a HeddleError that names the file and what is invalid or not supported.
 */
export async function loadHf(
  files: Files,
  folder: string,
  raw: Json | undefined,
  sourceKinds: SourceKinds,
  inParts: boolean | 'large' = false,
  family?: HfFamily,
): Promise<SavedModel> {
  const opened = await openFolder(files, folder, raw, sourceKinds, inParts === true ? 0 : wholeBytes, family);
  const { model, checkpoint, parameters, reader } = opened;
  const isStored = inParts === 'large' ? 4 * parameters.size >= largeBytes : inParts;
  if (!isStored) return readAll(folder, opened);
  const stored = {
    ...reader,
    config: checkpoint.config,
    whole: () => loadHf(files, folder, raw, sourceKinds, false, family),
    fingerprint: () => fingerprintOfWeights(parameters, reader),
  };
  return { ...model, weights: new Float32Array(), stored };
}

/** Reads all weights of an opened folder. */
async function readAll(folder: string, opened: OpenedFolder): Promise<SavedModel> {
  const { model, checkpoint, form, parameters: p, reader } = opened;
  if (!form && p.size > maxRandom)
    throw new HeddleError(
      msg`there are no weights, and the configuration asks for ${p.size} parameters; random weights are made for at most ${maxRandom}`,
      { area: folder },
    );
  const weights = new Float32Array(p.size);
  for (const parameter of p.all)
    weights.set(await reader.read(parameter, 0, sizeOf(parameter.shape)), parameter.offset);
  const stored = form ?? ({ prefix: 'model.', dtype: 'F32', dtypes: {}, aliases: [] } as const);
  return { ...model, weights, sourceCheckpoint: { ...checkpoint, ...stored } };
}

type OpenedFolder = Awaited<ReturnType<typeof openFolder>>;

/**
 * Opens a folder: the model without weights, its source checkpoint, and a reader of its weights. `form`:
 * dtypes and names of the stored tensors; undefined if the weights are random. `atOnce`: a file of fewer bytes is
 * read at once.
 */
async function openFolder(
  files: Files,
  folder: string,
  raw: Json | undefined,
  sourceKinds: SourceKinds,
  atOnce: number,
  given?: HfFamily,
) {
  const tensors = await openWeights(files, folder, atOnce);
  const notes: Message[] = [];
  const json = raw ?? inferMarianConfig(tensors ?? new Map(), `${folder}/${weightNames.whole}`);
  const generationPath = `${folder}/generation_config.json`;
  const generation = (await files.exists(generationPath)) ? await readJson(files, generationPath) : undefined;
  const texts = {
    config: raw ? await readText(files, `${folder}/config.json`) : undefined,
    generation: generation && (await readText(files, generationPath)),
  };
  const { config, decode, family } = await readConfig(folder, json, generation, tensors, given);
  const sourceKind = await sourceKindOf(config, sourceKinds);
  if (!raw)
    notes.push(
      msg`${filePath(folder)}: there is no config.json; read as MarianMT with ${counted(config.heads, '{0} head', '{0} heads')}, padding ${config.padId} and end ${config.endId}, which the weights do not determine`,
    );
  if (!tensors)
    notes.push(msg`${filePath(folder)}: there are no weights, only a configuration; RANDOM weights are used`);
  const own = await readOtherFiles(files, folder, family);
  const { notes: more, ...tokenizers } = readHfTokenizers(json, config, own, folder);
  const sourceFacts = family.own?.readFacts(json, generation, own, config, folder);
  const model = { config, sourceKind, ...tokenizers, decode, sourceFacts, notes: [...notes, ...more] };
  const checkpoint = { config: json, generation, texts, files: own };
  const parameters = parameterList(config, sourceKind);
  const { form, ...reader } = tensors
    ? await storedWeights(config, parameters, tensors, folder, family)
    : { ...randomWeights(config, parameters, seed), form: undefined };
  return { model, checkpoint, form, parameters, reader };
}

/** The tokenizer files of a folder by name, and those that a guest reads. */
async function readOtherFiles(
  files: Files,
  folder: string,
  { own }: HfFamily,
): Promise<Record<string, Uint8Array>> {
  const out: Record<string, Uint8Array> = {};
  const names = [...Object.values(tokenizerFileNames), ...(own?.files ?? [])];
  for (const name of names)
    if (await files.exists(`${folder}/${name}`)) out[name] = await files.read(`${folder}/${name}`);
  return out;
}

/**
 * The configuration; what config.json omits is read from the tensors. Stored position tables that differ from
 * the sinusoids that heddle computes are learned positions.
 */
async function readConfig(
  folder: string,
  json: Json,
  generation: Json | undefined,
  tensors: ReadonlyMap<string, FileTensor> | undefined,
  family?: HfFamily,
): Promise<HfConfig> {
  const prefix = tensors ? prefixOf(tensors) : 'model.';
  const [head, shared] = [tensors?.get('lm_head.weight'), tensors?.get(`${prefix}shared.weight`)];
  const hasHead = tensors
    ? head !== undefined && !(shared && (await sameNumbers(head, shared)))
    : json.tie_word_embeddings === false || (json.model_type === 'mt5' && json.tie_word_embeddings !== true);
  const has = (name: string) =>
    name === 'lm_head.weight' ? hasHead : (tensors?.has(`${prefix}${name}`) ?? false);
  const { config: c, ...hf } = readHfConfig(json, generation, has, `${folder}/config.json`, family);
  const config = { ...c, outputBias: c.outputBias && (!tensors || tensors.has('final_logits_bias')) };
  if (!tensors || c.positions !== 'sinusoidal-halves') return { ...hf, config };
  const computed = sinusoids(c.maxLength, c.dModel, 'halves');
  for (const stack of ['encoder', 'decoder']) {
    const stored = await tensors.get(`${prefix}${stack}.embed_positions.weight`)?.read();
    if (stored && !sameValues(stored, computed))
      return {
        ...hf,
        config: {
          ...config,
          positions: 'learned',
          positionOffset: 0,
          trainPositions: hf.family.type === 'marian',
        },
      };
  }
  return { ...hf, config };
}

/**
 * Reads a source checkpoint, the field `origin` of config.json (`json`): a model without its weights. Throws
 * a HeddleError if it is invalid.
 */
export async function readHfOrigin(
  files: Files,
  folder: string,
  json: Json,
  config: ModelConfig,
  given?: HfFamily,
): Promise<DescribedModel> {
  const path = `${folder}/config.json`;
  const { config: raw, generation, texts = {}, prefix, dtype, dtypes, aliases, absent = [] } = json;
  const valid =
    isObject(raw) &&
    (generation === undefined || isObject(generation)) &&
    (prefix === 'model.' || prefix === '') &&
    weightDtypes.includes(dtype as SourceCheckpoint['dtype']) &&
    isObject(texts) &&
    [texts.config, texts.generation].every((text) => text === undefined || typeof text === 'string') &&
    isObject(dtypes) &&
    Object.values(dtypes).every((d) => weightDtypes.includes(d as SourceCheckpoint['dtype'])) &&
    [aliases, absent].every((list) => Array.isArray(list) && list.every((name) => typeof name === 'string'));
  if (!valid) throw new HeddleError('the field origin is invalid', { area: path });
  const rules = generation as Json | undefined;
  const { decode, family } = readHfConfig(raw, rules, undefined, `${path}: origin`, given);
  const own = await readOtherFiles(files, folder, family);
  const { notes: _, ...tokenizers } = readHfTokenizers(raw, config, own, folder);
  const sourceFacts = family.own?.readFacts(raw, rules, own, config, folder);
  const sourceCheckpoint = { ...(json as unknown as Omit<SourceCheckpoint, 'files'>), files: own };
  return { config, ...tokenizers, decode, sourceFacts, sourceCheckpoint };
}

/**
 * Width of a head in the models of Helsinki-NLP. A model whose width is not a larger multiple of it gets one
 * head.
 */
const defaultHeadWidth = 64;

/**
 * A config.json for MarianMT weights in a folder without one: sizes from the tensors, other fields as in the
 * models of Helsinki-NLP. Throws a HeddleError that starts with `path` if the tensors are not those of
 * MarianMT.
 */
function inferMarianConfig(tensors: ReadonlyMap<string, FileTensor>, path: string): Json {
  const prefix = prefixOf(tensors);
  const shapeOf = (name: string) => tensors.get(`${prefix}${name}`)?.shape;
  const layersOf = (stack: string): number =>
    [...tensors.keys()].filter((name) => name.includes(`${stack}.layers.`) && name.endsWith('.fc1.weight'))
      .length;
  const [vocab, width] = shapeOf('shared.weight') ?? [];
  const [ffn] = shapeOf('encoder.layers.0.fc1.weight') ?? [];
  const [decoderFfn] = shapeOf('decoder.layers.0.fc1.weight') ?? [];
  const otherModel = ['embed_positions.weight', 'layernorm_embedding.weight', 'layer_norm.weight'].some(
    (name) => shapeOf(`encoder.${name}`),
  );
  if (
    vocab === undefined ||
    width === undefined ||
    ffn === undefined ||
    decoderFfn === undefined ||
    otherModel
  )
    throw new HeddleError(
      'the folder has no config.json, and the tensors are not those of MarianMT, which can be loaded without one',
      { area: path },
    );
  const heads = width > defaultHeadWidth && width % defaultHeadWidth === 0 ? width / defaultHeadWidth : 1;
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
