// Reads the weights of a Hugging Face folder in parts, when they are needed, so that a model that does not fit into memory
// as float32 can be quantized.

import { HeddleError } from '../../core/errors.ts';
import { createFingerprint } from '../../core/fingerprint.ts';
import { asFloat32 } from '../../core/float16.ts';
import { indexOfNonFinite, sameValues, show, sizeOf } from '../../core/tensor.ts';
import { type Files, openBlob } from '../../files/files.ts';
import { dtypeBytes, readSafetensorsHeader, tensorFromBytes } from '../../files/safetensors.ts';
import { initializeWeights } from '../../model/initialize-weights.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import { layOutParameters, type Parameter, type ParameterList } from '../../model/parameter-layout.ts';
import type { WeightReader } from '../../model/quantized-parameters.ts';
import type { SavedModel, StoredWeights } from '../shared/saved-model.ts';
import { checkDtype, matchTensors, prefixOf, type StoredTensor, tensorsIn, tiedNames } from './hf-tensors.ts';

/** A tensor in a file; `data` is empty. */
export interface FileTensor extends StoredTensor {
  /** Numbers `first` to `first + count - 1`, as float32. */
  read(first: number, count: number): Promise<Float32Array>;
}

/** Reads the headers of the weights of a folder; undefined if it has none. Throws as `readWeights`. */
export const openWeights = (files: Files, folder: string): Promise<Map<string, FileTensor> | undefined> =>
  tensorsIn(files, folder, (path) => openShard(files, path));

async function openShard(files: Files, path: string): Promise<[string, FileTensor][]> {
  const blob = await openBlob(files, path);
  const bytes = async (from: number, to: number) => new Uint8Array(await blob.slice(from, to).arrayBuffer());
  const head = await bytes(0, 8);
  const length = head.length < 8 ? 0 : Number(new DataView(head.buffer).getBigUint64(0, true));
  const { entries, base } = readSafetensorsHeader(await bytes(0, Math.min(blob.size, 8 + length)), blob.size, path);
  return Object.entries(entries).map(([name, { dtype, shape, data_offsets }]) => {
    checkDtype(path, name, dtype);
    const width = dtypeBytes(dtype);
    const start = base + data_offsets[0];
    const read = async (first: number, count: number): Promise<Float32Array> => {
      const raw = await bytes(start + first * width, start + (first + count) * width);
      return asFloat32(tensorFromBytes(path, name, dtype, [count], raw)).data as Float32Array;
    };
    return [name, { dtype, shape, data: new Float32Array(), read }];
  });
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

/** Stored weights without the configuration. */
type ReadWeights = Omit<StoredWeights, 'config'>;

/**
 * The weights of a model, read from its tensors. `whole` loads the complete model. Throws as `weightsFromHfTensors`, but
 * checks only while reading that numbers are finite.
 */
export async function storedWeights(
  c: ModelConfig,
  p: ParameterList,
  stored: ReadonlyMap<string, FileTensor>,
  path: string,
  whole: () => Promise<SavedModel>,
): Promise<ReadWeights> {
  const { expected, tensors, aliases } = matchTensors(c, p, stored, path);
  const known = tiedNames(c, prefixOf(stored));
  for (const name of aliases) {
    const [copy, original] = [tensors.get(name) as FileTensor, tensors.get(known[name] ?? '')];
    if (original && !(await sameNumbers(copy, original)))
      throw new HeddleError(
        `${path}: ${name} ${show(copy.shape)} must equal ${known[name]}, since config.json ties them`,
      );
  }
  const parts = new Map(
    p.all.map(({ name, offset, shape }) => {
      const end = offset + sizeOf(shape);
      return [name, expected.filter(({ at }) => at >= offset && at < end)];
    }),
  );
  return complete(p, whole, {
    async read({ name: parameter, offset }, first, count) {
      const out = new Float32Array(count);
      const start = offset + first;
      for (const { name, shape, at } of parts.get(parameter) ?? []) {
        const [from, to] = [Math.max(at, start), Math.min(at + sizeOf(shape), start + count)];
        if (from >= to) continue;
        const values = await (tensors.get(name) as FileTensor).read(from - at, to - from);
        const wrong = indexOfNonFinite(values);
        if (wrong >= 0) throw new HeddleError(`${path}: ${name} has ${values[wrong]} at element ${from - at + wrong}`);
        out.set(values, from - start);
      }
      return out;
    },
  });
}

/** The random weights of `initializeWeights`, made for one parameter at a time. */
export function randomWeights(
  c: ModelConfig,
  p: ParameterList,
  seed: number,
  whole: () => Promise<SavedModel>,
): ReadWeights {
  let cached: { name: string; values: Float32Array } | undefined;
  return complete(p, whole, {
    async read({ name }, first, count) {
      const parameter = p.byName.get(name) as Parameter;
      if (cached?.name !== name) {
        cached = undefined;
        cached = { name, values: initializeWeights(c, layOutParameters([parameter]), seed, 'truncated-normal') };
      }
      return cached.values.slice(first, first + count);
    },
  });
}

const complete = (p: ParameterList, whole: () => Promise<SavedModel>, reader: WeightReader): ReadWeights => ({
  ...reader,
  whole,
  async fingerprint() {
    const sum = createFingerprint();
    for (const [i, parameter] of p.all.entries()) {
      const size = sizeOf(parameter.shape);
      for (let at = 0; at < size; at += partSize)
        sum.add(await reader.read(parameter, at, Math.min(partSize, size - at)));
      sum.add(new Float32Array((p.all[i + 1]?.offset ?? p.size) - parameter.offset - size)); // padding
    }
    return sum.text();
  },
});
