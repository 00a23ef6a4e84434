// The weights of a BART or MarianMT folder: tensor names and their places in the parameter buffer, and the reader of
// model.safetensors or of shards with an index, in float32, float16 or bfloat16.

import { HeddleError } from '../../core/errors.ts';
import { fromFloat16 } from '../../core/float16.ts';
import { type Shape, sameShape, show } from '../../core/tensor.ts';
import type { Files } from '../../files/files.ts';
import { isObject, readJson } from '../../files/json-files.ts';
import { readSafetensors, readSafetensorsHeader } from '../../files/safetensors.ts';
import { type ModelConfig, stackSizes } from '../../model/model-config.ts';
import type { ParameterList } from '../../model/parameter-layout.ts';
import { sinusoids } from '../../ops/embedding/embedding.ts';
import { type HfPrefix, type SourceCheckpoint, type WeightDtype, weightDtypes } from '../shared/saved-model.ts';
import { storedRows } from '../shared/tensor-slices.ts';

/** Names of the files. */
export const weightNames = { whole: 'model.safetensors', index: 'model.safetensors.index.json' } as const;

/** A tensor of a file with its stored dtype; values are float32. */
export interface StoredTensor {
  readonly dtype: string;
  readonly shape: Shape;
  readonly data: Float32Array;
}

/**
 * Reads all tensors of a folder; undefined if it has no weights. Throws a HeddleError that names the file and the
 * problem.
 */
export async function readWeights(files: Files, folder: string): Promise<Map<string, StoredTensor> | undefined> {
  const whole = `${folder}/${weightNames.whole}`;
  if (await files.exists(whole)) return new Map(await readShard(files, whole));
  const index = `${folder}/${weightNames.index}`;
  if (!(await files.exists(index))) {
    for (const other of ['pytorch_model.bin', 'pytorch_model.bin.index.json', 'tf_model.h5', 'flax_model.msgpack'])
      if (await files.exists(`${folder}/${other}`))
        throw new HeddleError(
          `${folder}/${other}: heddle reads only safetensors; convert it with transformers (save_pretrained)`,
        );
    return undefined;
  }
  return readShards(files, folder, index);
}

async function readShards(files: Files, folder: string, index: string): Promise<Map<string, StoredTensor>> {
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
  const all = new Map<string, StoredTensor>();
  for (const [file, names] of shards) {
    const path = `${folder}/${file}`;
    if (!(await files.exists(path))) throw new HeddleError(`${path}: missing, and ${index} names it`);
    const wanted = new Set(names);
    for (const [name, tensor] of await readShard(files, path)) {
      if (!wanted.delete(name))
        throw new HeddleError(`${path}: it contains ${name}, but ${index} lists it in another file`);
      all.set(name, tensor);
    }
    const [missing] = wanted;
    if (missing !== undefined) throw new HeddleError(`${path}: ${missing} is missing; it is listed in ${index}`);
  }
  return all;
}

async function readShard(files: Files, path: string): Promise<[string, StoredTensor][]> {
  const file = await files.read(path);
  const { entries } = readSafetensorsHeader(file, file.length, path);
  return Object.entries(readSafetensors(file, path)).map(([name, { dtype, shape, data }]) => {
    const stored = entries[name]?.dtype ?? '';
    if (!(weightDtypes as readonly string[]).includes(stored))
      throw new HeddleError(`${path}: ${name} is ${stored}; weights must be float32, float16 or bfloat16`);
    return [
      name,
      { dtype: stored, shape, data: dtype === 'f16' ? fromFloat16(data as Uint16Array) : (data as Float32Array) },
    ];
  });
}

/** Prefix of the tensor names. */
export const prefixOf = (tensors: ReadonlyMap<string, unknown>): HfPrefix =>
  [...tensors.keys()].some((name) => name.startsWith('model.')) ? 'model.' : '';

/**
 * The parameter buffer from tensors, and how they were stored. Throws a HeddleError that starts with `path` and names
 * tensors that are missing, unexpected, of another shape, not finite, or not equal to the tensor they are tied to.
 */
export function weightsFromHfTensors(
  c: ModelConfig,
  p: ParameterList,
  found: ReadonlyMap<string, StoredTensor>,
  path: string,
): { weights: Float32Array; stored: Pick<SourceCheckpoint, 'prefix' | 'dtype' | 'dtypes' | 'aliases' | 'absent'> } {
  const prefix = prefixOf(found);
  const expected = hfTensors(c, p, prefix);
  // A file may store a tied tensor under any of its names.
  const tensors = new Map(found);
  for (const [alias, of] of Object.entries(tiedNames(c, prefix))) {
    const held = found.get(alias);
    if (held && !tensors.has(of)) tensors.set(of, held);
  }
  const absent = [...tensors.keys()].filter((name) => !found.has(name));
  const missing = expected.map(({ name }) => name).filter((name) => !tensors.has(name));
  if (missing.length) throw new HeddleError(`${path}: missing ${listed(missing)}`);
  for (const { name, shape } of expected) {
    const found = (tensors.get(name) as StoredTensor).shape;
    if (!sameShape(found, shape))
      throw new HeddleError(`${path}: ${name} is ${show(found)}, config.json says ${show(shape)}`);
  }
  // Allocated only after the shapes are checked: a configuration may claim any size.
  const weights = new Float32Array(p.size);
  const dtypes = new Map<string, WeightDtype>();
  for (const { name, at } of expected) {
    const tensor = tensors.get(name) as StoredTensor;
    const wrong = tensor.data.findIndex((x) => !Number.isFinite(x));
    if (wrong >= 0) throw new HeddleError(`${path}: ${name} has ${tensor.data[wrong]} at element ${wrong}`);
    weights.set(tensor.data, at);
    dtypes.set(name, tensor.dtype as WeightDtype);
  }
  for (const name of absent) dtypes.delete(name);
  const aliases = checkAliases(c, prefix, tensors, new Set([...dtypes.keys(), ...absent]), path);
  for (const name of aliases) dtypes.set(name, tensors.get(name)?.dtype as WeightDtype);
  const counts = weightDtypes.map((d) => [...dtypes.values()].filter((x) => x === d).length);
  const dtype = weightDtypes[counts.indexOf(Math.max(...counts))] as WeightDtype;
  const others = Object.fromEntries([...dtypes].filter(([, d]) => d !== dtype));
  return { weights, stored: { prefix, dtype, dtypes: others, aliases, ...(absent.length > 0 && { absent }) } };
}

/** Names of tensors that are copies of tied tensors. Throws if a copy differs, or a tensor is unexpected. */
function checkAliases(
  c: ModelConfig,
  prefix: HfPrefix,
  tensors: ReadonlyMap<string, StoredTensor>,
  own: ReadonlySet<string>,
  path: string,
): string[] {
  const others = [...tensors.keys()].filter((name) => !own.has(name));
  const known = tiedNames(c, prefix);
  const unknown = others.filter((name) => !known[name] && !isComputedTable(c, prefix, name));
  if (unknown.length) throw new HeddleError(`${path}: tensors that do not match config.json: ${listed(unknown)}`);
  for (const name of others) {
    const { shape, data } = tensors.get(name) as StoredTensor;
    const of = known[name];
    const same = of ? tensors.get(of)?.data : sinusoids(c.maxLength, c.dModel, 'halves');
    if (!same || same.length !== data.length || same.some((x, i) => x !== data[i]))
      throw new HeddleError(
        `${path}: ${name} ${show(shape)} must equal ${of ?? 'the table of sinusoids'}, since config.json ties them`,
      );
  }
  return others.sort();
}

/** Whether a name is that of a sinusoidal position table, which is computed. */
export const isComputedTable = (c: ModelConfig, prefix: HfPrefix, name: string): boolean =>
  c.positions === 'sinusoidal-halves' &&
  ['encoder', 'decoder'].some((stack) => name === `${prefix}${stack}.embed_positions.weight`);

const listed = (names: readonly string[]): string =>
  names.slice(0, 5).join(', ') + (names.length > 5 ? ` and ${names.length - 5} more` : '');

/** A tensor of the format. */
export interface HfTensor {
  readonly name: string;
  readonly shape: Shape;
  /** Offset of the first element in the parameter buffer. */
  readonly at: number;
}

/**
 * All tensors of a model. q, k and v projections are separate here and one block in the parameter buffer, in the same
 * order, so that every tensor is contiguous there. `prefix` is that of all tensors except the head's.
 */
export function hfTensors(c: ModelConfig, p: ParameterList, prefix: HfPrefix = 'model.'): HfTensor[] {
  const out: HfTensor[] = [];
  const put = (name: string, stored: string, part?: { row: number; rows: number }, shape?: Shape): void => {
    const piece = storedRows(p, stored, part?.row, part?.rows);
    out.push({ name, shape: shape ?? piece.shape, at: piece.at });
  };
  const both = (name: string, stored: string): void => {
    put(`${name}.weight`, `${stored}.weight`);
    put(`${name}.bias`, `${stored}.bias`);
  };
  const attention = (name: string, stored: string, inner: number): void => {
    for (const kind of ['weight', 'bias'])
      for (const [i, part] of ['q_proj', 'k_proj', 'v_proj'].entries())
        put(`${name}.${part}.${kind}`, `${stored}.in_proj_${kind}`, { row: i * inner, rows: inner });
    both(`${name}.out_proj`, `${stored}.out_proj`);
  };

  if (c.tie === 'all') put(`${prefix}shared.weight`, 'src_embed.weight');
  else {
    put(`${prefix}encoder.embed_tokens.weight`, 'src_embed.weight');
    put(`${prefix}decoder.embed_tokens.weight`, 'tgt_embed.weight');
  }
  for (const [stack, side, layers] of [
    ['encoder', 'src', c.encoderLayers],
    ['decoder', 'tgt', c.decoderLayers],
  ] as const) {
    if (c.positions === 'learned') put(`${prefix}${stack}.embed_positions.weight`, `${side}_pos.weight`);
    if (c.embeddingNorm) both(`${prefix}${stack}.layernorm_embedding`, `${side}_embed_norm`);
    const { heads, headWidth } = stackSizes(c, stack);
    for (let n = 0; n < layers; n++) {
      const [name, stored] = [`${prefix}${stack}.layers.${n}`, `transformer.${stack}.layers.${n}`];
      attention(`${name}.self_attn`, `${stored}.self_attn`, heads * headWidth);
      both(`${name}.self_attn_layer_norm`, `${stored}.norm1`);
      if (stack === 'decoder') {
        attention(`${name}.encoder_attn`, `${stored}.multihead_attn`, heads * headWidth);
        both(`${name}.encoder_attn_layer_norm`, `${stored}.norm2`);
      }
      both(`${name}.fc1`, `${stored}.linear1`);
      both(`${name}.fc2`, `${stored}.linear2`);
      both(`${name}.final_layer_norm`, `${stored}.${stack === 'decoder' ? 'norm3' : 'norm2'}`);
    }
    if (c.finalNorm) both(`${prefix}${stack}.layer_norm`, `transformer.${stack}.norm`);
  }
  if (c.tie === 'none') put('lm_head.weight', 'generator.weight');
  if (c.outputBias) put('final_logits_bias', 'generator.bias', undefined, [1, c.tgtVocab]);
  return out;
}

/** Aliases of tied tensors in files, each with the tensor's own name. */
export function tiedNames(c: ModelConfig, prefix: HfPrefix): Readonly<Record<string, string>> {
  const [encoder, decoder] = [`${prefix}encoder.embed_tokens.weight`, `${prefix}decoder.embed_tokens.weight`];
  const table = `${prefix}shared.weight`;
  if (c.tie === 'all') return { [encoder]: table, [decoder]: table, 'lm_head.weight': table };
  return c.tie === 'target' ? { 'lm_head.weight': decoder } : {};
}
