// What Marian's model files hold: named tensors, and model.yml as text.

import { HeddleError } from '../../../core/errors.ts';
import { listed, msg } from '../../../core/message.ts';
import { type Shape, sizeOf } from '../../../core/tensor.ts';

/** A tensor of a model file, as float32 in the shape of the file. */
export interface MarianItem {
  readonly shape: Shape;
  readonly data: Float32Array;
}

/** A model file. */
export interface MarianFile {
  readonly tensors: ReadonlyMap<string, MarianItem>;
  /** model.yml, without the byte 0 at its end. */
  readonly yaml: string;
  /** Multipliers of the inputs of int8 products, by name: `Wemb_QuantMultA`. */
  readonly multipliers: ReadonlyMap<string, number>;
  /** Whether a tensor is stored as int8. */
  readonly isInt8: boolean;
}

/** Name of the item with model.yml. */
export const yamlItem = 'special:model.yml';

/** End of the names of the multipliers of inputs. */
export const multiplierSuffix = '_QuantMultA';

/** Whether the bytes of an int8 tensor have the order of its shape: embeddings are not transposed. */
export const keepsOrder = (name: string): boolean => name.includes('Wemb');

/** A matrix [rows, cols] transposed. */
export function transposed<T extends Float32Array | Int8Array>(data: T, rows: number, cols: number): T {
  const out = data.slice() as T;
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < cols; c++) out[c * rows + r] = data[r * cols + c] as number;
  return out;
}

/** Throws a HeddleError if a shape is not that of a tensor; returns its number of elements. */
export function checkedSize(path: string, name: string, shape: Shape): number {
  const size = sizeOf(shape);
  if (shape.length === 0 || shape.some((n) => !Number.isSafeInteger(n) || n < 1) || size > 2 ** 31)
    throw new HeddleError(msg`${name} has the shape [${listed(shape)}]`, { area: path });
  return size;
}

/** model.yml from its bytes, which end with a 0; what is behind it is padding. */
export const yamlText = (bytes: Uint8Array): string => {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
};
