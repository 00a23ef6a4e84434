// Reads the weights of a Hugging Face folder, model.safetensors or shards with an index, into the parameter buffer.
// They are float32, float16 or bfloat16.

import { HeddleError } from '../../core/errors.ts';
import { asFloat32 } from '../../core/float16.ts';
import { indexOfNonFinite, type Shape, sameShape, sameValues, show, sizeOf } from '../../core/tensor.ts';
import type { Files } from '../../files/files.ts';
import { isObject, readJson } from '../../files/json-files.ts';
import { readSafetensors, readSafetensorsHeader } from '../../files/safetensors.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import type { ParameterList } from '../../model/parameter-layout.ts';
import { hfNames } from '../../model/parameter-names.ts';
import { sinusoids } from '../../ops/embedding/embedding.ts';
import { type HfPrefix, type SourceCheckpoint, type WeightDtype, weightDtypes } from '../shared/saved-model.ts';

/** Names of the weight files. */
export const weightNames = { whole: 'model.safetensors', index: 'model.safetensors.index.json' } as const;

/** A tensor of a file: its dtype in the file, and its values as float32. */
export interface StoredTensor {
  readonly dtype: string;
  readonly shape: Shape;
  readonly data: Float32Array;
}

/** Reads all tensors of a folder; undefined if it has no weights. Throws a HeddleError that names the file. */
export const readWeights = (files: Files, folder: string): Promise<Map<string, StoredTensor> | undefined> =>
  tensorsIn(files, folder, (path) => readShard(files, path));

/** Like `readWeights`, with another function that reads the tensors of one file. */
export async function tensorsIn<T>(
  files: Files,
  folder: string,
  readShard: (path: string) => Promise<[string, T][]>,
): Promise<Map<string, T> | undefined> {
  const whole = `${folder}/${weightNames.whole}`;
  if (await files.exists(whole)) return new Map(await readShard(whole));
  const index = `${folder}/${weightNames.index}`;
  if (!(await files.exists(index))) {
    for (const other of ['pytorch_model.bin', 'pytorch_model.bin.index.json', 'tf_model.h5', 'flax_model.msgpack'])
      if (await files.exists(`${folder}/${other}`))
        throw new HeddleError(
          `${folder}/${other}: heddle reads only safetensors; convert it with transformers (save_pretrained)`,
        );
    return undefined;
  }
  return readShards(files, folder, index, readShard);
}

async function readShards<T>(
  files: Files,
  folder: string,
  index: string,
  readShard: (path: string) => Promise<[string, T][]>,
): Promise<Map<string, T>> {
  const { weight_map: places } = await readJson(files, index);
  if (!isObject(places)) throw new HeddleError(`${index}: it has no weight_map of tensors to files`);
  const shards = new Map<string, string[]>();
  for (const [name, file] of Object.entries(places)) {
    if (typeof file !== 'string' || !/^[\w.-]+\.safetensors$/.test(file))
      throw new HeddleError(
        `${index}: ${name} is in ${JSON.stringify(file)}, which is not the name of a safetensors file in the folder`,
      );
    const names = shards.get(file);
    if (names) names.push(name);
    else shards.set(file, [name]);
  }
  const all = new Map<string, T>();
  for (const [file, names] of shards) {
    const path = `${folder}/${file}`;
    if (!(await files.exists(path))) throw new HeddleError(`${path}: missing, and ${index} names it`);
    const wanted = new Set(names);
    for (const [name, tensor] of await readShard(path)) {
      if (!wanted.delete(name))
        throw new HeddleError(`${path}: it contains ${name}, but ${index} lists it in another file`);
      all.set(name, tensor);
    }
    const [missing] = wanted;
    if (missing !== undefined) throw new HeddleError(`${path}: ${missing} is missing; it is listed in ${index}`);
  }
  return all;
}

/** Throws a HeddleError if the dtype of a tensor is not a floating-point type. */
export function checkDtype(path: string, name: string, dtype: string): void {
  if (!(weightDtypes as readonly string[]).includes(dtype))
    throw new HeddleError(`${path}: ${name} is ${dtype}; weights must be float32, float16 or bfloat16`);
}

async function readShard(files: Files, path: string): Promise<[string, StoredTensor][]> {
  const file = await files.read(path);
  const { entries } = readSafetensorsHeader(file, file.length, path);
  return Object.entries(readSafetensors(file, path)).map(([name, tensor]) => {
    const dtype = entries[name]?.dtype ?? '';
    checkDtype(path, name, dtype);
    return [name, { dtype, shape: tensor.shape, data: asFloat32(tensor).data as Float32Array }];
  });
}

/** Prefix of the tensor names. */
export const prefixOf = (tensors: ReadonlyMap<string, unknown>): HfPrefix =>
  [...tensors.keys()].some((name) => name.startsWith('model.')) ? 'model.' : '';

/**
 * Copies tensors into a parameter buffer, and returns how the file stores them. Throws a HeddleError that starts with
 * `path` and names a tensor that is missing or unexpected, has another shape or a NaN or infinity, or differs from the
 * tensor that it is tied to.
 */
export function weightsFromHfTensors(
  c: ModelConfig,
  p: ParameterList,
  stored: ReadonlyMap<string, StoredTensor>,
  path: string,
): { weights: Float32Array; stored: Omit<SourceCheckpoint, 'config' | 'generation' | 'texts' | 'files'> } {
  const { expected, tensors, absent, aliases } = matchTensors(c, p, stored, path);
  const prefix = prefixOf(stored);
  const unread = [...stored].filter(([name, { data }]) => isUnread(name) && data.length <= maxUnread);
  // Allocate only after the shapes are checked: a configuration may state any size.
  const weights = new Float32Array(p.size);
  const dtypes = new Map<string, WeightDtype>();
  for (const { name, at } of expected) {
    const tensor = tensors.get(name) as StoredTensor;
    const wrong = indexOfNonFinite(tensor.data);
    if (wrong >= 0) throw new HeddleError(`${path}: ${name} has ${tensor.data[wrong]} at element ${wrong}`);
    weights.set(tensor.data, at);
    dtypes.set(name, tensor.dtype as WeightDtype);
  }
  for (const name of absent) dtypes.delete(name);
  checkAliases(c, prefix, tensors, aliases, path);
  for (const name of aliases) dtypes.set(name, tensors.get(name)?.dtype as WeightDtype);
  const counts = weightDtypes.map((d) => [...dtypes.values()].filter((x) => x === d).length);
  const dtype = weightDtypes[counts.indexOf(Math.max(...counts))] as WeightDtype;
  for (const [name, tensor] of unread) dtypes.set(name, tensor.dtype as WeightDtype);
  const others = Object.fromEntries([...dtypes].filter(([, d]) => d !== dtype));
  const unreadTensors = unread.map(([name, { shape, data }]) => [name, { shape, values: [...data] }] as const);
  return {
    weights,
    stored: {
      ...{ prefix, dtype, dtypes: others, aliases },
      ...(absent.length > 0 && { absent }),
      ...(unreadTensors.length > 0 && { unread: Object.fromEntries(unreadTensors) }),
    },
  };
}

/**
 * Whether transformers ignores a tensor: the position bias of T5's cross-attention, and the sinusoids in old files of
 * M2M100. Tensors of up to `maxUnread` numbers are kept, so that an export has the same tensors.
 */
const isUnread = (name: string): boolean =>
  /EncDecAttention\.relative_attention_bias\.weight$|embed_positions\.weights$/.test(name);
const maxUnread = 2 ** 14;

/**
 * Matches the tensors that a model needs (`expected`) with the tensors of a file. `tensors` has them by name; a tied
 * tensor of which the file has only a copy is in it under its own name too (`absent` lists these). `aliases`: names of
 * further copies. Throws a HeddleError that names tensors that are missing, unexpected or of another shape.
 */
export function matchTensors<T extends { readonly shape: Shape }>(
  c: ModelConfig,
  p: ParameterList,
  stored: ReadonlyMap<string, T>,
  path: string,
): { expected: HfTensor[]; tensors: Map<string, T>; absent: string[]; aliases: string[] } {
  const prefix = prefixOf(stored);
  const expected = hfTensors(c, p, prefix);
  const known = tiedNames(c, prefix);
  // A file may store a tied tensor under any of its names.
  const tensors = new Map([...stored].filter(([name]) => !isUnread(name)));
  for (const [alias, original] of Object.entries(known)) {
    const copy = stored.get(alias);
    if (copy && !tensors.has(original)) tensors.set(original, copy);
  }
  const absent = [...tensors.keys()].filter((name) => !stored.has(name));
  const missing = expected.map(({ name }) => name).filter((name) => !tensors.has(name));
  if (missing.length) throw new HeddleError(`${path}: missing ${listed(missing)}`);
  for (const { name, shape } of expected) {
    const actual = (tensors.get(name) as T).shape;
    if (!sameShape(actual, shape))
      throw new HeddleError(`${path}: ${name} is ${show(actual)}, config.json says ${show(shape)}`);
  }
  const own = new Set([...expected.map(({ name }) => name), ...absent]);
  const aliases = [...tensors.keys()].filter((name) => !own.has(name)).sort();
  const unknown = aliases.filter((name) => !known[name] && !isComputedTable(c, prefix, name));
  if (unknown.length) throw new HeddleError(`${path}: tensors that do not match config.json: ${listed(unknown)}`);
  return { expected, tensors, absent, aliases };
}

/** Throws a HeddleError if a copy of a tied tensor or of the table of sinusoids differs from it. */
function checkAliases(
  c: ModelConfig,
  prefix: HfPrefix,
  tensors: ReadonlyMap<string, StoredTensor>,
  aliases: readonly string[],
  path: string,
): void {
  const known = tiedNames(c, prefix);
  for (const name of aliases) {
    const { shape, data } = tensors.get(name) as StoredTensor;
    const original = known[name];
    const same = original ? tensors.get(original)?.data : sinusoids(c.maxLength, c.dModel, 'halves');
    if (!sameValues(data, same))
      throw new HeddleError(
        `${path}: ${name} ${show(shape)} must equal ${original ?? 'the table of sinusoids'}, since config.json ties them`,
      );
  }
}

/** Whether a tensor is a table of sinusoidal positions, which heddle computes. */
export const isComputedTable = (c: ModelConfig, prefix: HfPrefix, name: string): boolean =>
  c.positions === 'sinusoidal-halves' &&
  ['encoder', 'decoder'].some((stack) => name === `${prefix}${stack}.embed_positions.weight`);

const listed = (names: readonly string[]): string =>
  names.slice(0, 5).join(', ') + (names.length > 5 ? ` and ${names.length - 5} more` : '');

/** A tensor of a model in transformers. */
export interface HfTensor {
  readonly name: string;
  readonly shape: Shape;
  /** Offset of the first element in the parameter buffer. */
  readonly at: number;
}

/**
 * All tensors of a model, in the order of its parameters. A parameter that joins several tensors (q, k and v) has their
 * rows one after another, so every tensor is contiguous. All names except the head's start with `prefix`.
 */
export const hfTensors = (c: ModelConfig, p: ParameterList, prefix: HfPrefix = 'model.'): HfTensor[] =>
  p.all.flatMap((parameter) => {
    const names = hfNames(c, parameter);
    if (names.length === 0) throw new Error(`weights: ${parameter.name} has no name in transformers`);
    const shape = parameter.name === 'generator.bias' ? [1, c.tgtVocab] : parameter.shape;
    const [rows = 0, ...inner] = shape;
    const part = rows / names.length;
    return names.map((name, i) => ({
      name: name.replace(/^model\./, prefix),
      shape: [part, ...inner],
      at: parameter.offset + i * part * sizeOf(inner),
    }));
  });

/** Other names of tied tensors, each with the tensor's own name. */
export function tiedNames(c: ModelConfig, prefix: HfPrefix): Readonly<Record<string, string>> {
  const [encoder, decoder] = [`${prefix}encoder.embed_tokens.weight`, `${prefix}decoder.embed_tokens.weight`];
  const table = `${prefix}shared.weight`;
  if (c.tie === 'all') return { [encoder]: table, [decoder]: table, 'lm_head.weight': table };
  if (c.tie === 'embeddings') return { [encoder]: table, [decoder]: table };
  return c.tie === 'target' ? { 'lm_head.weight': decoder } : {};
}
