// Model files of Marian as .npz: a zip archive of NumPy arrays.

import { HeddleError } from '../../../core/errors.ts';
import { listed, type Message, msg } from '../../../core/message.ts';
import { indexOfNonFinite, type Shape } from '../../../core/tensor.ts';
import { unzip } from '../../../files/zip.ts';
import { checkedSize, type MarianFile, type MarianItem, yamlItem, yamlText } from './marian-items.ts';

const magic = [0x93, ...new TextEncoder().encode('NUMPY')];

/** An array of a .npy file: its type, shape and bytes. */
export interface NpyArray {
  readonly type: string;
  readonly shape: Shape;
  readonly bytes: Uint8Array;
}

/** Reads a .npy file. Throws a HeddleError that starts with `name`. */
export function readNpy(file: Uint8Array, name: string): NpyArray {
  const fail = (reason: Message): never => {
    throw new HeddleError(msg`not a valid .npy file: ${reason}`, { area: name });
  };
  if (file.length < 10 || magic.some((byte, i) => file[i] !== byte))
    fail(msg`it does not start with \\x93NUMPY`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const major = file[6] as number;
  if (major < 1 || major > 3) fail(msg`its version is ${major}`);
  const start = major === 1 ? 10 : 12;
  const length = file.length < start ? 0 : major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length === 0 || start + length > file.length) fail(msg`its header is truncated`);
  const header = new TextDecoder().decode(file.subarray(start, start + length));
  const field = (key: string, pattern: string): string =>
    new RegExp(`'${key}'\\s*:\\s*${pattern}`).exec(header)?.[1] ?? fail(msg`its header has no ${key}`);
  if (field('fortran_order', '(True|False)') === 'True') fail(msg`it has the order of Fortran`);
  const shape = field('shape', '\\(([0-9, ]*)\\)')
    .split(',')
    .flatMap((n) => (n.trim() === '' ? [] : [Number(n)]));
  return { type: field('descr', "'([^']*)'"), shape, bytes: file.subarray(start + length) };
}

/** Reads a model file. Throws a HeddleError that names the file, the array and the problem. */
export async function readNpz(file: Uint8Array, path: string): Promise<MarianFile> {
  const tensors = new Map<string, MarianItem>();
  let yaml: string | undefined;
  for (const [entry, bytes] of Object.entries(await unzip(file, path))) {
    const name = entry.replace(/\.npy$/, '');
    const array = readNpy(bytes, `${path}: ${name}`);
    if (name === yamlItem) yaml = yamlText(array.bytes);
    else tensors.set(name, tensorOf(array, name, path));
  }
  if (yaml === undefined)
    throw new HeddleError(msg`it has no ${yamlItem}, the configuration of the model`, { area: path });
  return { tensors, yaml, multipliers: new Map(), isInt8: false };
}

/** The numbers of an array. One with a single axis is a row. */
function tensorOf({ type, shape: given, bytes }: NpyArray, name: string, path: string): MarianItem {
  const shape = given.length === 1 ? [1, ...given] : given;
  const size = checkedSize(path, name, shape);
  if (type !== '<f4')
    throw new HeddleError(msg`${name} has the type ${type}; float32 (<f4) is supported`, { area: path });
  if (bytes.length !== 4 * size)
    throw new HeddleError(
      msg`${name} has ${bytes.length} bytes, its shape [${listed(shape)}] needs ${4 * size}`,
      { area: path },
    );
  const data = new Float32Array(bytes.slice().buffer);
  const wrong = indexOfNonFinite(data);
  if (wrong >= 0) throw new HeddleError(msg`${name} has ${data[wrong]} at element ${wrong}`, { area: path });
  return { shape, data };
}
