// safetensors files: u64 little-endian header length, JSON header, tensor bytes. The reader validates every
// length, offset, dtype and overlap before it allocates. Format: https://huggingface.co/docs/safetensors

import { fromBfloat16 } from '../core/bfloat16.ts';
import { HeddleError } from '../core/errors.ts';
import { type Message, msg } from '../core/message.ts';
import { type DType, sizeOf, type Tensor } from '../core/tensor.ts';
import { isCount, isObject, type Json } from './json-files.ts';
import { type Archive, bytesIn, partOf } from './zip.ts';

/** Maximum header size, as in the reference implementation. */
export const maxHeader = 100 * 2 ** 20;
const littleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** Bytes per element of each dtype. */
const widths: Record<string, number> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
};
/** Names of heddle's dtypes in safetensors. */
export const safetensorsNames: Record<DType, string> = { f32: 'F32', f16: 'F16', i32: 'I32', u32: 'U32' };

/** Bytes per element of a dtype; 0 if it is unknown. */
export const dtypeBytes = (dtype: string): number => widths[dtype] ?? 0;

/** Header entry of one tensor. */
export interface TensorEntry {
  readonly dtype: string;
  readonly shape: number[];
  readonly data_offsets: [number, number];
}

/** A validated header. Offsets are relative to byte `base` of the file. */
export interface SafetensorsHeader {
  readonly entries: Readonly<Record<string, TensorEntry>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly base: number;
}

const fail = (name: string, reason: Message): never => {
  throw new HeddleError(msg`not a valid safetensors file: ${reason}`, { area: name, kind: 'input' });
};

/**
 * Reads and validates the header. `start` holds at least the header, `fileBytes` is the size of the whole
 * file. Throws a HeddleError.
 */
export function readSafetensorsHeader(
  start: Uint8Array,
  fileBytes: number,
  name = 'safetensors',
): SafetensorsHeader {
  if (fileBytes < 8 || start.length < 8)
    fail(name, msg`it has ${fileBytes} bytes, the header length needs 8`);
  const length = Number(new DataView(start.buffer, start.byteOffset).getBigUint64(0, true));
  if (length > maxHeader) fail(name, msg`its header has ${length} bytes, the maximum is ${maxHeader}`);
  if (8 + length > fileBytes)
    fail(name, msg`its header has ${length} bytes, the file ${fileBytes}: it may be truncated`);
  let json: unknown;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(start.subarray(8, 8 + length));
    json = JSON.parse(text);
  } catch {
    fail(name, msg`its header is not JSON in UTF-8`);
  }
  if (!isObject(json)) fail(name, msg`its header is not a JSON object`);
  const { __metadata__: metadata = {}, ...rest } = json as Json;
  if (!isObject(metadata) || Object.values(metadata).some((v) => typeof v !== 'string'))
    fail(name, msg`its __metadata__ is not a map of strings`);
  const bytes = fileBytes - 8 - length;
  const entries: Record<string, TensorEntry> = Object.create(null);
  for (const [key, value] of Object.entries(rest)) entries[key] = checkEntry(name, key, value, bytes);
  const sorted = Object.entries(entries).sort(
    ([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1],
  );
  let end = 0;
  for (const [key, entry] of sorted) {
    const [from, to] = entry.data_offsets;
    if (from < end) fail(name, msg`tensor ${key} overlaps the tensor before it`);
    if (from > end) fail(name, msg`there is a gap of ${from - end} bytes before tensor ${key}`);
    end = to;
  }
  if (end !== bytes) fail(name, msg`its tensors end at byte ${end} of ${bytes}`);
  return { entries, metadata: metadata as Record<string, string>, base: 8 + length };
}

/**
 * Reads and validates the header of a file by its first bytes, and compares what it says with the size of the file.
 * Throws as `readSafetensorsHeader`.
 */
export async function safetensorsHeaderOf(file: Archive, name: string): Promise<SafetensorsHeader> {
  const size = bytesIn(file);
  const head = await partOf(file, 0, 8);
  const length =
    head.length < 8 ? 0 : Number(new DataView(head.buffer, head.byteOffset).getBigUint64(0, true));
  return readSafetensorsHeader(
    await partOf(file, 0, Math.min(size, 8 + Math.min(length, maxHeader))),
    size,
    name,
  );
}

function checkEntry(file: string, key: string, value: unknown, bytes: number): TensorEntry {
  const e = (typeof value === 'object' && value !== null ? value : {}) as Partial<TensorEntry>;
  const width = typeof e.dtype === 'string' && Object.hasOwn(widths, e.dtype) ? widths[e.dtype] : undefined;
  if (width === undefined)
    return fail(file, msg`tensor ${key} has the unknown dtype ${JSON.stringify(e.dtype)}`);
  if (!Array.isArray(e.shape) || !e.shape.every(isCount))
    return fail(file, msg`the shape of tensor ${key} is not a list of non-negative integers`);
  const [from, to] = Array.isArray(e.data_offsets) ? e.data_offsets : [];
  if (!isCount(from) || !isCount(to) || e.data_offsets?.length !== 2 || from > to || to > bytes)
    return fail(
      file,
      msg`tensor ${key} has data_offsets ${JSON.stringify(e.data_offsets)} of ${bytes} bytes: the file may be truncated`,
    );
  const elements = e.shape.reduce((a, b) => a * b, 1);
  if (!Number.isSafeInteger(elements) || elements * width !== to - from)
    return fail(file, msg`tensor ${key} ${e.dtype} [${e.shape.join()}] does not have ${to - from} bytes`);
  return { dtype: e.dtype as string, shape: e.shape, data_offsets: [from, to] };
}

/**
 * Reads all tensors of a safetensors file. F32, I32 and U32 keep their dtype, F16 is returned as its bits
 * (`f16`), BF16 and F64 are converted to float32, I8 and I64 to int32. Throws a HeddleError with the area `name`
 * if the file is invalid or an int64 does not fit.
 */
export function readSafetensors(file: Uint8Array, name = 'safetensors'): Record<string, Tensor> {
  const { entries, base } = readSafetensorsHeader(file, file.length, name);
  const tensors: Record<string, Tensor> = Object.create(null);
  for (const [key, { dtype, shape, data_offsets }] of Object.entries(entries)) {
    const [from, to] = data_offsets;
    // The constructor copies: Buffer.slice would return a view of Node's shared pool.
    tensors[key] = tensorFromBytes(
      name,
      key,
      dtype,
      shape,
      new Uint8Array(file.subarray(base + from, base + to)),
    );
  }
  return tensors;
}

/** Makes a tensor from the bytes of a dtype; `bytes` has its own buffer. Throws as `readSafetensors`. */
export function tensorFromBytes(
  file: string,
  key: string,
  dtype: string,
  shape: number[],
  bytes: Uint8Array,
): Tensor {
  const { buffer } = bytes;
  const n = sizeOf(shape);
  if (!littleEndian) fail(file, msg`big-endian machines are not supported`);
  switch (dtype) {
    case 'F32':
      return { dtype: 'f32', shape, data: new Float32Array(buffer) };
    case 'F16':
      return { dtype: 'f16', shape, data: new Uint16Array(buffer) };
    case 'I32':
      return { dtype: 'i32', shape, data: new Int32Array(buffer) };
    case 'U32':
      return { dtype: 'u32', shape, data: new Uint32Array(buffer) };
    case 'I8':
      return { dtype: 'i32', shape, data: Int32Array.from(new Int8Array(buffer)) };
    case 'F64':
      return { dtype: 'f32', shape, data: Float32Array.from(new Float64Array(buffer)) };
    case 'BF16':
      return { dtype: 'f32', shape, data: fromBfloat16(new Uint16Array(buffer)) };
    case 'I64': {
      const long = new BigInt64Array(buffer);
      const data = Int32Array.from(long, Number);
      for (let i = 0; i < n; i++)
        if (BigInt(data[i] as number) !== long[i])
          fail(file, msg`tensor ${key} has the value ${String(long[i])}, which does not fit in int32`);
      return { dtype: 'i32', shape, data };
    }
    default:
      throw new HeddleError(
        msg`tensor ${key} is ${dtype}; supported are F32, F16, BF16, F64, I32, U32, I64, I8`,
        { area: file, kind: 'input' },
      );
  }
}
