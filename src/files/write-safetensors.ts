// Writes safetensors files.

import { type DType, type Shape, sizeOf } from '../core/tensor.ts';
import { dtypeBytes, safetensorsNames } from './safetensors.ts';

/** A tensor to write. */
export interface WritableTensor {
  /** A dtype of heddle (`f32`) or of safetensors (`BF16`). */
  readonly dtype: string;
  readonly shape: Shape;
  /** Row-major little-endian numbers. */
  readonly data: ArrayBufferView;
}

/** Writes a safetensors file: tensors sorted by name, header padded with spaces to a multiple of 8 bytes. */
export function writeSafetensors(
  tensors: Readonly<Record<string, WritableTensor>>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  // No prototype: a tensor may be named __proto__.
  const header: Record<string, unknown> = Object.create(null);
  if (metadata) header.__metadata__ = metadata;
  const order = Object.keys(tensors).sort();
  let at = 0;
  for (const key of order) {
    const { dtype, shape, data } = tensors[key] as WritableTensor;
    if (key === '__metadata__') throw new Error('safetensors: __metadata__ is not a valid tensor name');
    const name = safetensorsNames[dtype as DType] ?? dtype;
    const width = dtypeBytes(name);
    if (sizeOf(shape) * width !== data.byteLength)
      throw new Error(`safetensors: ${key} [${shape}] has ${data.byteLength / width} elements`);
    header[key] = { dtype: name, shape, data_offsets: [at, at + data.byteLength] };
    at += data.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const length = Math.ceil(json.length / 8) * 8;
  const file = new Uint8Array(8 + length + at).fill(0x20, 8, 8 + length);
  new DataView(file.buffer).setBigUint64(0, BigInt(length), true);
  file.set(json, 8);
  at = 8 + length;
  for (const key of order) {
    const { buffer, byteOffset, byteLength } = (tensors[key] as WritableTensor).data;
    file.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += byteLength;
  }
  return file;
}
