// Slices of a buffer of weights, and the part of it around several: what a fused kernel binds once.

import { type Shape, sizeOf } from '../../core/tensor.ts';
import { defaultTraits } from '../ops/device-traits.ts';
import type { Value } from '../ops/op.ts';
import type { Graph } from './graph.ts';

/** A slice of a buffer of weights. */
export interface Slice {
  readonly buffer: Value;
  readonly offset: number;
  readonly shape: Shape;
}

/** The slice that a value is; undefined if it is no f32 slice of a state. */
export const sliceOf = ({ at, shape, dtype, kind }: Value): Slice | undefined =>
  at && kind === 'state' && dtype === 'f32' ? { ...at, shape } : undefined;

/** A slice as a value of a graph. */
export const inGraph = (graph: Graph, { buffer, offset, shape }: Slice): Value =>
  graph.slice(buffer, `${buffer.name}+${offset}`, offset, shape);

/** The part of a buffer around slices; undefined if they are in several, or too far apart for a binding. */
export function span(slices: readonly Slice[]): Slice | undefined {
  const [first] = slices;
  if (!first || slices.some(({ buffer }) => buffer !== first.buffer)) return undefined;
  const offset = Math.min(...slices.map((slice) => slice.offset));
  const end = Math.max(...slices.map((slice) => slice.offset + sizeOf(slice.shape)));
  if (4 * (end - offset) > defaultTraits.maxBindingBytes) return undefined;
  return { buffer: first.buffer, offset, shape: [end - offset] };
}
