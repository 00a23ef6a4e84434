// Writes safetensors files.

import { type Shape, sizeOf, type Tensor } from '../core/tensor.ts';
import { dtypeBytes, safetensorsNames } from './safetensors.ts';

/** A tensor as raw bytes: a safetensors dtype, and row-major little-endian data. */
export interface RawTensor {
  readonly dtype: string;
  readonly shape: Shape;
  readonly bytes: Uint8Array;
}

/** Writes a safetensors file: tensors sorted by name, header padded with spaces to a multiple of 8 bytes. */
export function writeSafetensors(
  tensors: Readonly<Record<string, Tensor>>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  const raw: Record<string, RawTensor> = Object.create(null);
  for (const [key, { dtype, shape, data }] of Object.entries(tensors))
    raw[key] = {
      dtype: safetensorsNames[dtype],
      shape,
      bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    };
  return writeRawTensors(raw, metadata);
}

/** Like `writeSafetensors`, for raw bytes of any safetensors dtype. */
export function writeRawTensors(
  tensors: Readonly<Record<string, RawTensor>>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  // No prototype: a tensor may be named __proto__.
  const header: Record<string, unknown> = Object.create(null);
  if (metadata) header.__metadata__ = metadata;
  const order = Object.keys(tensors).sort();
  let at = 0;
  for (const key of order) {
    const { dtype, shape, bytes } = tensors[key] as RawTensor;
    if (key === '__metadata__') throw new Error('safetensors: __metadata__ is not a valid tensor name');
    const width = dtypeBytes(dtype);
    if (sizeOf(shape) * width !== bytes.length)
      throw new Error(`safetensors: ${key} [${shape}] has ${bytes.length / width} elements`);
    header[key] = { dtype, shape, data_offsets: [at, at + bytes.length] };
    at += bytes.length;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const length = Math.ceil(json.length / 8) * 8;
  const file = new Uint8Array(8 + length + at).fill(0x20, 8, 8 + length);
  new DataView(file.buffer).setBigUint64(0, BigInt(length), true);
  file.set(json, 8);
  at = 8 + length;
  for (const key of order) {
    const { bytes } = tensors[key] as RawTensor;
    file.set(bytes, at);
    at += bytes.length;
  }
  return file;
}
