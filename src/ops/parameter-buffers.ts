// Banks that are larger than one binding may be: cut into ranges that are bound one by one.

import { check } from '../core/errors.ts';
import { type DType, type Shape, sizeOf } from '../core/tensor.ts';
import type { Value } from './op.ts';

/** Elements that a binding of f32 holds, a multiple of 64. */
export const rangeLength = (maxBindingBytes: number): number => Math.floor(maxBindingBytes / 4 / 64) * 64;

/** The part of `bank` from element `start`, a multiple of 64, on, as a value to bind; the whole bank is bound as itself. */
export function rangeOf(bank: Value, start: number, length: number): Value {
  if (start === 0 && length === sizeOf(bank.shape)) return bank;
  return viewOf(bank, start, [length]);
}

/** A part of a tensor from `offset` on as a value to bind, in elements of `dtype`; it starts at a multiple of 256 bytes. */
export const viewOf = (bank: Value, offset: number, shape: Shape, dtype: DType = bank.dtype): Value => ({
  id: -1,
  name: `${bank.name}+${offset}`,
  kind: bank.kind,
  dtype,
  shape,
  at: { bank, offset },
});

/** All ranges of equally long banks: `[start, length]`. Throws where banks differ in length. */
export function rangesOf(op: string, banks: readonly Value[], maxBindingBytes: number): [number, number][] {
  const size = sizeOf(banks[0]!.shape);
  check(
    banks.every((b) => sizeOf(b.shape) === size),
    () => `${op}: banks differ in length, ${banks.map((b) => `${b.name} ${sizeOf(b.shape)}`).join(', ')}`,
  );
  const step = rangeLength(maxBindingBytes);
  const ranges: [number, number][] = [];
  for (let start = 0; start < size; start += step) ranges.push([start, Math.min(step, size - start)]);
  return ranges;
}
