// The weights of a Hugging Face folder. They are read in parts, when they are needed, so that a model that
// does not fit into memory as float32 can be quantized.

import { HeddleError } from '../../core/errors.ts';
import { createFingerprint } from '../../core/fingerprint.ts';
import { asFloat32 } from '../../core/float16.ts';
import { msg } from '../../core/message.ts';
import { indexOfNonFinite, type Shape, sameShape, sameValues, show, sizeOf } from '../../core/tensor.ts';
import { type Files, openBlob } from '../../files/files.ts';
import { weightNames } from '../../files/hf-file-names.ts';
import { isObject, readJson } from '../../files/json-files.ts';
import { dtypeBytes, readSafetensorsHeader, tensorFromBytes } from '../../files/safetensors.ts';
import { initializeWeights } from '../../model/initialize-weights.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import { layOutParameters, type Parameter, type ParameterList } from '../../model/parameter-layout.ts';
import type { WeightReader } from '../../model/quantized-parameters.ts';
import { type CheckpointTensors, type WeightDtype, weightDtypes } from '../shared/saved-model.ts';
import type { HfFamily } from './hf-families.ts';
import { hfTensors, isComputedTable, prefixOf, tiedNames } from './hf-tensors.ts';

/** A tensor in a file. */
export interface FileTensor {
  readonly dtype: WeightDtype;
  readonly shape: Shape;
  /**
   * Reads numbers `first` to `first + count - 1` as float32. Default: all. Throws a HeddleError for a NaN or
   * infinity.
   */
  read(first?: number, count?: number): Promise<Float32Array>;
}

/**
 * Opens the tensors of a folder: those of model.safetensors, or of shards with an index. Returns undefined if
 * it has no weights. `wholeBytes`: a file of fewer bytes is read at once. Throws a HeddleError that names the file.
 */
export async function openWeights(
  files: Files,
  folder: string,
  wholeBytes: number,
): Promise<Map<string, FileTensor> | undefined> {
  const whole = `${folder}/${weightNames.whole}`;
  if (await files.exists(whole)) return openShard(files, folder, whole, wholeBytes);
  const index = `${folder}/${weightNames.index}`;
  if (!(await files.exists(index))) {
    for (const other of [
      'pytorch_model.bin',
      'pytorch_model.bin.index.json',
      'tf_model.h5',
      'flax_model.msgpack',
    ])
      if (await files.exists(`${folder}/${other}`))
        throw new HeddleError(
          'heddle reads only safetensors; convert it with transformers (save_pretrained)',
          { area: `${folder}/${other}` },
        );
    return undefined;
  }
  const { weight_map: fileOf } = await readJson(files, index);
  if (!isObject(fileOf)) throw new HeddleError('it has no weight_map of tensors to files', { area: index });
  for (const [name, file] of Object.entries(fileOf))
    if (typeof file !== 'string' || !/^[\w.-]+\.safetensors$/.test(file))
      throw new HeddleError(
        msg`${name} is in ${JSON.stringify(file)}, which is not the name of a safetensors file in the folder`,
        { area: index },
      );
  const all = new Map<string, FileTensor>();
  for (const file of new Set(Object.values(fileOf))) {
    const path = `${folder}/${file}`;
    if (!(await files.exists(path)))
      throw new HeddleError(msg`missing, and ${index} names it`, { area: path, kind: 'not-found' });
    for (const [name, tensor] of await openShard(files, folder, path, 0)) {
      if (fileOf[name] !== file)
        throw new HeddleError(msg`it contains ${name}, but ${index} lists it in another file`, {
          area: path,
        });
      all.set(name, tensor);
    }
  }
  for (const [name, file] of Object.entries(fileOf))
    if (!all.has(name))
      throw new HeddleError(msg`${name} is missing; it is listed in ${index}`, { area: `${folder}/${file}` });
  return all;
}

/** Bytes of a file. */
interface FileBytes {
  readonly size: number;
  slice(from: number, to: number): Promise<Uint8Array>;
}

async function openBytes(files: Files, path: string, wholeBytes: number): Promise<FileBytes> {
  if (((await files.size?.(path)) ?? wholeBytes) < wholeBytes) {
    const whole = await files.read(path);
    return { size: whole.length, slice: async (from, to) => whole.slice(from, to) };
  }
  const blob = await openBlob(files, path);
  return {
    size: blob.size,
    slice: async (from, to) => new Uint8Array(await blob.slice(from, to).arrayBuffer()),
  };
}

async function openShard(
  files: Files,
  folder: string,
  path: string,
  wholeBytes: number,
): Promise<Map<string, FileTensor>> {
  const file = await openBytes(files, path, wholeBytes);
  const head = await file.slice(0, 8);
  const length = head.length < 8 ? 0 : Number(new DataView(head.buffer).getBigUint64(0, true));
  const { entries, base } = readSafetensorsHeader(
    await file.slice(0, Math.min(file.size, 8 + length)),
    file.size,
    path,
  );
  const tensors = new Map<string, FileTensor>();
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(entries)) {
    if (!(weightDtypes as readonly string[]).includes(dtype))
      throw new HeddleError(msg`${name} is ${dtype}; weights must be float32, float16 or bfloat16`, {
        area: path,
      });
    const width = dtypeBytes(dtype);
    const start = base + data_offsets[0];
    const read = async (first = 0, count = sizeOf(shape)): Promise<Float32Array> => {
      const raw = await file.slice(start + first * width, start + (first + count) * width);
      const values = asFloat32(tensorFromBytes(path, name, dtype, [count], raw)).data as Float32Array;
      const wrong = indexOfNonFinite(values);
      if (wrong >= 0)
        throw new HeddleError(msg`${name} has ${values[wrong]} at element ${first + wrong}`, {
          area: folder,
        });
      return values;
    };
    tensors.set(name, { dtype: dtype as WeightDtype, shape, read });
  }
  return tensors;
}

/** Numbers that are read together. */
const partSize = 2 ** 22;

/** Compares the numbers of two tensors in parts. */
export async function sameNumbers(a: FileTensor, b: FileTensor): Promise<boolean> {
  const size = sizeOf(a.shape);
  if (size !== sizeOf(b.shape)) return false;
  for (let at = 0; at < size; at += partSize) {
    const count = Math.min(partSize, size - at);
    if (!sameValues(await a.read(at, count), await b.read(at, count))) return false;
  }
  return true;
}

/**
 * Whether transformers ignores a tensor: the position bias of T5's cross-attention, and the sinusoids in old
 * files of M2M100. Tensors of up to `maxUnread` numbers are kept, so that an export has the same tensors.
 */
const isUnread = (name: string): boolean =>
  /EncDecAttention\.relative_attention_bias\.weight$|embed_positions\.weights$/.test(name);
const maxUnread = 2 ** 14;

const listed = (names: readonly string[]): string =>
  names.slice(0, 5).join(', ') + (names.length > 5 ? ` and ${names.length - 5} more` : '');

/**
 * Reader of the weights of a model in the tensors `stored` of a folder; `form`: dtypes and names of these
 * tensors. Throws a HeddleError that starts with `path` and names a tensor that is missing or unexpected, has
 * another shape, or differs from the tensor that it is tied to.
 */
export async function storedWeights(
  c: ModelConfig,
  p: ParameterList,
  stored: ReadonlyMap<string, FileTensor>,
  path: string,
  family: HfFamily,
): Promise<WeightReader & { readonly form: CheckpointTensors }> {
  const prefix = prefixOf(stored);
  const expected = hfTensors(c, p, prefix);
  const tied = tiedNames(c, prefix, family);
  const tensors = new Map([...stored].filter(([name]) => !isUnread(name)));
  // A file may store a tied tensor under any of its names.
  for (const [alias, original] of Object.entries(tied)) {
    const copy = stored.get(alias);
    if (copy && !tensors.has(original)) tensors.set(original, copy);
  }
  const computed = computedTensors(c, p, prefix);
  for (const [name, tensor] of Object.entries(computed)) if (!tensors.has(name)) tensors.set(name, tensor);
  const absent = [...tensors.keys()].filter((name) => !stored.has(name));
  const missing = expected.map(({ name }) => name).filter((name) => !tensors.has(name));
  if (missing.length) throw new HeddleError(msg`missing ${listed(missing)}`, { area: path });
  for (const { name, shape } of expected) {
    const actual = (tensors.get(name) as FileTensor).shape;
    if (!sameShape(actual, shape))
      throw new HeddleError(msg`${name} is ${show(actual)}, config.json says ${show(shape)}`, { area: path });
  }
  const own = new Set([...expected.map(({ name }) => name), ...absent]);
  const aliases = [...tensors.keys()].filter((name) => !own.has(name)).sort();
  const unknown = aliases.filter((name) => !tied[name] && !isComputedTable(c, prefix, name));
  if (unknown.length)
    throw new HeddleError(msg`tensors that do not match config.json: ${listed(unknown)}`, { area: path });
  for (const name of aliases) {
    const [copy, original] = [tensors.get(name) as FileTensor, tensors.get(tied[name] ?? '')];
    if (original && !(await sameNumbers(copy, original)))
      throw new HeddleError(
        msg`${name} ${show(copy.shape)} must equal ${tied[name]}, since config.json ties them`,
        { area: path },
      );
  }
  const parts = new Map(
    p.all.map(({ name, offset, shape }) => {
      const end = offset + sizeOf(shape);
      return [name, expected.filter(({ at }) => at >= offset && at < end)];
    }),
  );
  return {
    form: await checkpointTensors(
      prefix,
      stored,
      [...own].filter((name) => stored.has(name)),
      aliases,
      absent,
    ),
    async read({ name: parameter, offset }, first, count) {
      const out = new Float32Array(count);
      const start = offset + first;
      for (const { name, shape, at } of parts.get(parameter) ?? []) {
        const [from, to] = [Math.max(at, start), Math.min(at + sizeOf(shape), start + count)];
        if (from < to)
          out.set(await (tensors.get(name) as FileTensor).read(from - at, to - from), from - start);
      }
      return out;
    },
  };
}

/** Tensors that a file may leave out: positions of the encoder that are computed and not trained. */
function computedTensors(
  c: ModelConfig,
  { source }: ParameterList,
  prefix: string,
): Readonly<Record<string, FileTensor>> {
  const compute = c.positions === 'learned' ? source.fixedPositions?.(c) : undefined;
  if (!compute) return {};
  const table = compute();
  const read = async (first = 0, count = table.length) => table.slice(first, first + count);
  const shape = [c.maxSource, c.dModel];
  return { [`${prefix}encoder.embed_positions.weight`]: { dtype: 'F32', shape, read } };
}

/**
 * Dtypes and names of the tensors in a folder. `own`: names of the stored tensors that are parameters of the
 * model.
 */
async function checkpointTensors(
  prefix: CheckpointTensors['prefix'],
  stored: ReadonlyMap<string, FileTensor>,
  own: readonly string[],
  aliases: readonly string[],
  absent: readonly string[],
): Promise<CheckpointTensors> {
  const dtypeOf = (name: string) => (stored.get(name) as FileTensor).dtype;
  const read = [...own, ...aliases];
  const counts = weightDtypes.map((dtype) => read.filter((name) => dtypeOf(name) === dtype).length);
  const dtype = weightDtypes[counts.indexOf(Math.max(...counts))] as WeightDtype;
  const unread: Record<string, { shape: Shape; values: number[] }> = {};
  for (const [name, { shape, read: readAll }] of stored)
    if (isUnread(name) && sizeOf(shape) <= maxUnread)
      unread[name] = { shape, values: [...(await readAll())] };
  const others = [...read, ...Object.keys(unread)].filter((name) => dtypeOf(name) !== dtype);
  return {
    prefix,
    dtype,
    dtypes: Object.fromEntries(others.map((name) => [name, dtypeOf(name)])),
    aliases,
    absent: absent.length > 0 ? absent : undefined,
    unread: Object.keys(unread).length > 0 ? unread : undefined,
  };
}

/** The random weights of `initializeWeights`, made for one parameter at a time. */
export function randomWeights(c: ModelConfig, p: ParameterList, seed: number): WeightReader {
  let cached: { name: string; values: Float32Array } | undefined;
  return {
    async read({ name }, first, count) {
      const parameter = p.byName.get(name) as Parameter;
      if (cached?.name !== name) {
        cached = undefined;
        cached = {
          name,
          values: initializeWeights(c, layOutParameters([parameter]), seed, 'truncated-normal'),
        };
      }
      return cached.values.slice(first, first + count);
    },
  };
}

/** `fingerprintOf` of the parameter buffer. */
export async function fingerprintOfWeights(p: ParameterList, weights: WeightReader): Promise<string> {
  const sum = createFingerprint();
  for (const [i, parameter] of p.all.entries()) {
    const size = sizeOf(parameter.shape);
    for (let at = 0; at < size; at += partSize)
      sum.add(await weights.read(parameter, at, Math.min(partSize, size - at)));
    sum.add(new Float32Array((p.all[i + 1]?.offset ?? p.size) - parameter.offset - size)); // padding
  }
  return sum.text();
}
