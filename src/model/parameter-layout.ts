// Parameters one after another in a bank: all of a model, those that a training changes, or an adapter's.

import { sizeOf } from '../core/tensor.ts';
import type { Parameter, ParameterList } from './parameters.ts';

/** Lays parameters out in their order, each with room for a multiple of `unit` elements (default 64); those that decay must come first. */
export function layOut(
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
