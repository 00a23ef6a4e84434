// Marian's binary model files (src/common/binary.cpp of Marian): headers, names, dimensions, then the data of
// each item. Weights are float32 or int8 with one multiplier each (intgemm8).

import { HeddleError } from '../../../core/errors.ts';
import { listed, type Message, msg } from '../../../core/message.ts';
import { indexOfNonFinite, type Shape } from '../../../core/tensor.ts';
import {
  checkedSize,
  keepsOrder,
  type MarianFile,
  type MarianItem,
  multiplierSuffix,
  transposed,
  yamlItem,
  yamlText,
} from './marian-items.ts';

/** Numbers of the types of items. */
export const itemTypes = { float32: 0x404, float16: 0x402, int8: 0x101, intgemm8: 0x4101 } as const;

const headerBytes = 32;
const maxItems = 1e6;

/** An item of a file: its type, dimensions and bytes. */
interface RawItem {
  readonly type: number;
  readonly shape: Shape;
  readonly bytes: Uint8Array;
}

/** The items of a file by name. Throws a HeddleError that names the file and what is invalid. */
function readItems(file: Uint8Array, path: string): Map<string, RawItem> {
  const fail = (reason: Message): never => {
    throw new HeddleError(msg`not a valid model file of Marian: ${reason}`, { area: path });
  };
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  let at = 0;
  const take = (bytes: number, what: string): number => {
    if (bytes > file.length - at)
      fail(msg`it is truncated: ${what} needs ${bytes} bytes, ${file.length - at} are left`);
    at += bytes;
    return at - bytes;
  };
  const u64 = (what: string, from = take(8, what)): number => {
    const value = view.getBigUint64(from, true);
    return value > BigInt(Number.MAX_SAFE_INTEGER) ? fail(msg`${what} is ${String(value)}`) : Number(value);
  };
  const version = u64('its version');
  if (version !== 1) fail(msg`its version is ${version}, only 1 is known`);
  const count = u64('its number of items');
  if (count > maxItems) fail(msg`it has ${count} items`);
  const first = take(count * headerBytes, `${count} headers`);
  const headers = Array.from({ length: count }, (_, i) => {
    const field = (k: number, what: string) => u64(`${what} of item ${i}`, first + i * headerBytes + 8 * k);
    return {
      nameLength: field(0, 'the length of the name'),
      type: field(1, 'the type'),
      rank: field(2, 'the rank'),
      bytes: field(3, 'the size'),
    };
  });
  const names = headers.map(({ nameLength }, i) => {
    const from = take(nameLength, `the name of item ${i}`);
    if (nameLength < 2 || file[from + nameLength - 1] !== 0) fail(msg`the name of item ${i} has no end`);
    return new TextDecoder().decode(file.subarray(from, from + nameLength - 1));
  });
  const shapes = headers.map(({ rank }, i) => {
    const from = take(4 * rank, `the shape of ${names[i]}`);
    return Array.from({ length: rank }, (_, k) => view.getInt32(from + 4 * k, true));
  });
  take(u64('the gap before the data'), 'the gap before the data');
  const items = new Map<string, RawItem>();
  for (const [i, { type, bytes }] of headers.entries()) {
    const name = names[i] as string;
    if (items.has(name)) fail(msg`the item ${name} is there twice`);
    const from = take(bytes, name);
    items.set(name, { type, shape: shapes[i] as Shape, bytes: file.subarray(from, from + bytes) });
  }
  return items;
}

/** Reads a model file. Throws a HeddleError that names the file, the item and the problem. */
export function readMarianBin(file: Uint8Array, path: string): MarianFile {
  const tensors = new Map<string, MarianItem>();
  const multipliers = new Map<string, number>();
  let yaml: string | undefined;
  let isInt8 = false;
  for (const [name, item] of readItems(file, path)) {
    if (name === yamlItem) {
      yaml = yamlText(item.bytes);
      continue;
    }
    const tensor = tensorOf(item, name, path);
    if (item.type === itemTypes.intgemm8) isInt8 = true;
    if (name.endsWith(multiplierSuffix)) multipliers.set(name, tensor.data[0] as number);
    else tensors.set(name, tensor);
  }
  if (yaml === undefined)
    throw new HeddleError(msg`it has no ${yamlItem}, the configuration of the model`, { area: path });
  return { tensors, multipliers, yaml, isInt8 };
}

/** The numbers of an item. */
function tensorOf({ type, shape, bytes }: RawItem, name: string, path: string): MarianItem {
  const size = checkedSize(path, name, shape);
  const needs = type === itemTypes.float32 ? 4 * size : size + 4;
  if (type !== itemTypes.float32 && type !== itemTypes.intgemm8)
    throw new HeddleError(
      msg`${name} has the type 0x${type.toString(16)}; float32 and intgemm8 are supported`,
      { area: path },
    );
  if (bytes.length < needs)
    throw new HeddleError(
      msg`${name} has ${bytes.length} bytes, its shape [${listed(shape)}] needs ${needs}`,
      { area: path },
    );
  const copy = bytes.slice(0, needs);
  let data: Float32Array;
  if (type === itemTypes.float32) data = new Float32Array(copy.buffer, 0, size);
  else {
    const multiplier = new DataView(copy.buffer).getFloat32(size, true);
    if (!(multiplier > 0 && Number.isFinite(multiplier)))
      throw new HeddleError(msg`${name} has the multiplier ${multiplier}`, { area: path });
    const q = new Int8Array(copy.buffer, 0, size);
    const floats = Float32Array.from(q, (x) => x / multiplier);
    const cols = shape.at(-1) as number;
    data = keepsOrder(name) ? floats : transposed(floats, cols, size / cols);
  }
  const wrong = indexOfNonFinite(data);
  if (wrong >= 0) throw new HeddleError(msg`${name} has ${data[wrong]} at element ${wrong}`, { area: path });
  return { shape, data };
}
