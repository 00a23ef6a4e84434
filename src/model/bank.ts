// Some parameters in a bank of their own: those that a training changes, or an adapter's.

import { sizeOf } from '../tensor.ts';
import type { Parameter, ParameterList } from './parameters.ts';

/** Lays parameters out anew, in their order, each from a multiple of 64 on; those that decay must come first. */
export function layOut(parameters: readonly Omit<Parameter, 'offset'>[]): ParameterList {
  let size = 0;
  let decayEnd = 0;
  const all = parameters.map((p): Parameter => {
    const offset = size;
    size += Math.ceil(sizeOf(p.shape) / 64) * 64;
    if (p.decay) decayEnd = size;
    return { ...p, offset };
  });
  const count = all.reduce((n, p) => n + sizeOf(p.shape), 0);
  return { all, byName: new Map(all.map((p) => [p.name, p])), size, decayEnd, count };
}
