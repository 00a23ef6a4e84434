// Parameters one after another in one buffer: what they are, and where each one begins.

import { type Shape, sizeOf } from '../core/tensor.ts';
import type { PackedFormat } from '../ops/matmul/packed-weights.ts';

/** How a parameter starts. `fanIn` and `fanOut` are those of the stored tensor that it is a part of. */
export type Init =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'uniform'; readonly bound: number }
  | { readonly kind: 'matrix'; readonly fanIn: number; readonly fanOut: number }
  | { readonly kind: 'embedding' };

/** One parameter. */
export interface Parameter {
  readonly name: string;
  readonly shape: Shape;
  /** First element in the bank, a multiple of 64. */
  readonly offset: number;
  readonly init: Init;
  /** Decayed by AdamW unless asked otherwise: matrices, not biases and norms. */
  readonly decay: boolean;
  /** The tensor of PyTorch's state_dict that holds it, its rows before this part, and all its rows. */
  readonly stored: { readonly name: string; readonly row: number; readonly rows: number };
}

/** All parameters of a model in a bank of `size` elements. */
export interface ParameterList {
  readonly all: readonly Parameter[];
  readonly byName: ReadonlyMap<string, Parameter>;
  readonly size: number;
  /** Elements before this one are decayed. */
  readonly decayEnd: number;
  /** Number of weights, without the padding of the bank. */
  readonly count: number;
  /** Where they lie if they are kept in fewer bits, for inference; see packed.ts. */
  readonly quantization?: Quantization;
}

/** Where packed weights lie. */
export interface Quantization {
  readonly format: PackedFormat;
  /** Of each matrix: its first word and first scale, multiples of 64. */
  readonly matrices: ReadonlyMap<
    string,
    { readonly parameter: Parameter; readonly word: number; readonly scale: number }
  >;
  /** Words of all matrices, and their scales; none of these as f16. */
  readonly words: number;
  readonly scales: number;
  /** What stays f32, in a bank of its own. */
  readonly plain: ParameterList;
}

/** Lays parameters out in their order, each with room for a multiple of `unit` elements (default 64); those that decay must come first. */
export function layOutParameters(
  parameters: readonly Omit<Parameter, 'offset'>[],
  unit: (parameter: Omit<Parameter, 'offset'>) => number = () => 64,
): ParameterList {
  let size = 0;
  let decayEnd = 0;
  const all = parameters.map((p): Parameter => {
    const offset = size;
    size += Math.ceil(sizeOf(p.shape) / unit(p)) * unit(p);
    if (p.decay) decayEnd = size;
    return { ...p, offset };
  });
  const count = all.reduce((n, p) => n + sizeOf(p.shape), 0);
  return { all, byName: new Map(all.map((p) => [p.name, p])), size, decayEnd, count };
}
