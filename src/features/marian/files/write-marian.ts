// Writes Marian's model files: .npz, and .bin with float32 or int8 matrices, in the layout that Marian writes.

import { HeddleError } from '../../../core/errors.ts';
import { type Message, msg } from '../../../core/message.ts';
import { sizeOf } from '../../../core/tensor.ts';
import { concatBytes } from '../../../files/files.ts';
import { zipParts } from '../../../files/zip.ts';
import { itemTypes } from './marian-bin.ts';
import { keepsOrder, type MarianItem, transposed, yamlItem } from './marian-items.ts';

/** What a model file holds. */
export interface MarianContents {
  readonly tensors: ReadonlyMap<string, MarianItem>;
  /** model.yml. */
  readonly yaml: string;
  /** Multipliers of the inputs of int8 products by name. Default: none. */
  readonly multipliers?: Readonly<Record<string, number>>;
}

const bytesOf = (data: Float32Array): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
const yamlBytes = (yaml: string): Uint8Array => new TextEncoder().encode(`${yaml}\0`);
/** Multiple of bytes at which Marian begins data. */
const unit = 256;
const aligned = (n: number): number => Math.ceil(n / unit) * unit;

/** A .npy file of version 1. */
function npy(type: string, shape: readonly number[], bytes: Uint8Array): Uint8Array {
  const axes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${axes}), }`;
  const length = Math.ceil((10 + text.length + 1) / 16) * 16 - 10;
  const head = new Uint8Array(10 + length).fill(0x20);
  head.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, length & 0xff, length >> 8]);
  head.set(new TextEncoder().encode(text), 10);
  head[head.length - 1] = 0x0a;
  return concatBytes([head, bytes]);
}

/** A model file as .npz. */
export function npzFile({ tensors, yaml }: MarianContents): Uint8Array {
  const files: Record<string, Uint8Array> = {};
  for (const [name, { shape, data }] of tensors) files[`${name}.npy`] = npy('<f4', shape, bytesOf(data));
  const text = yamlBytes(yaml);
  files[`${yamlItem}.npy`] = npy('|i1', [text.length], text);
  return concatBytes(zipParts(files));
}

/** An item of a .bin file; `bytes` with its padding. */
interface BinItem {
  readonly name: string;
  readonly type: number;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

const padded = (bytes: Uint8Array): Uint8Array => {
  const out = new Uint8Array(aligned(bytes.length));
  out.set(bytes);
  return out;
};

/** A .bin file of items, which are sorted by name, and model.yml. */
function binFile(items: readonly BinItem[], yaml: string): Uint8Array {
  const text = yamlBytes(yaml);
  const sorted = [...items].sort((a, b) => (a.name < b.name ? -1 : 1));
  const all = [...sorted, { name: yamlItem, type: itemTypes.int8, shape: [text.length], bytes: text }];
  const names = all.map(({ name }) => new TextEncoder().encode(`${name}\0`));
  const start =
    16 + all.reduce((n, { shape }, i) => n + 32 + (names[i] as Uint8Array).length + 4 * shape.length, 0) + 8;
  const head = new Uint8Array(aligned(start));
  const view = new DataView(head.buffer);
  let at = 0;
  const u64 = (value: number) => {
    view.setBigUint64(at, BigInt(value), true);
    at += 8;
  };
  u64(1);
  u64(all.length);
  for (const [i, { type, shape, bytes }] of all.entries())
    for (const value of [(names[i] as Uint8Array).length, type, shape.length, bytes.length]) u64(value);
  for (const name of names) {
    head.set(name, at);
    at += name.length;
  }
  for (const { shape } of all)
    for (const n of shape) {
      view.setInt32(at, n, true);
      at += 4;
    }
  u64(head.length - start);
  return concatBytes([head, ...all.map(({ bytes }) => bytes)]);
}

/** A model file as .bin with float32. */
export const float32Bin = ({ tensors, yaml }: MarianContents): Uint8Array =>
  binFile(
    Array.from(tensors, ([name, { shape, data }]) => ({
      name,
      type: itemTypes.float32,
      shape,
      bytes: padded(bytesOf(data)),
    })),
    yaml,
  );

/** Whether a tensor is stored as int8: embeddings, and matrices W and W with one letter or digit. */
export const isInt8Name = (name: string): boolean => keepsOrder(name) || /_W.?$/.test(name);

/** Rounds half to even. */
function roundEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Numbers as int8 with one multiplier, 127 / max|w|, behind them. */
export function quantized(data: Float32Array): { readonly q: Int8Array; readonly multiplier: number } {
  let max = 0;
  for (const x of data) max = Math.max(max, Math.abs(x));
  const multiplier = Math.fround(127 / (max || 1));
  const q = Int8Array.from(data, (x) =>
    Math.max(-127, Math.min(127, roundEven(Math.fround(x * multiplier)))),
  );
  return { q, multiplier };
}

/**
 * A model file as .bin with int8 matrices. Throws a HeddleError that names a tensor that Marian cannot use so.
 */
export function int8Bin({ tensors, yaml, multipliers = {} }: MarianContents): Uint8Array {
  const items = Array.from(tensors, ([name, { shape, data }]): BinItem => {
    if (!isInt8Name(name)) return { name, type: itemTypes.float32, shape, bytes: padded(bytesOf(data)) };
    checkSizes(name, shape);
    const [rows = 0, cols = 0] = shape;
    const { q, multiplier } = quantized(data);
    const bytes = new Uint8Array(aligned(sizeOf(shape) + 4));
    bytes.set(new Uint8Array((keepsOrder(name) ? q : transposed(q, rows, cols)).buffer));
    new DataView(bytes.buffer).setFloat32(sizeOf(shape), multiplier, true);
    return { name, type: itemTypes.intgemm8, shape, bytes };
  });
  const own = Object.entries(multipliers).map(([name, value]) => ({
    name,
    type: itemTypes.float32,
    shape: [1, 1],
    bytes: padded(bytesOf(Float32Array.of(value))),
  }));
  return binFile([...items, ...own], yaml);
}

/** Throws a HeddleError if Marian's engine cannot multiply by an int8 tensor of these sizes. */
function checkSizes(name: string, [rows = 0, cols = 0]: readonly number[]): void {
  const fail = (reason: Message): never => {
    throw new HeddleError(msg`${name}: ${reason}; use marian-bin, which has float32`, { area: 'firefox' });
  };
  if (name.startsWith('decoder_ff_logit_out_W'))
    fail(
      msg`Marian's engine cannot use an int8 output matrix of its own: tie it to the target embedding (tie=all or target)`,
    );
  const [inner, outer] = keepsOrder(name) ? [cols, rows] : [rows, cols];
  if (inner % 64 > 0 || outer % 8 > 0)
    fail(
      msg`it is [${rows}, ${cols}]; Marian's int8 products need ${inner} to be a multiple of 64 and ${outer} of 8`,
    );
}
