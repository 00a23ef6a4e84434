// Typed input arrays of the programs of training graphs.

import type { Program } from '../engine/engine.ts';
import type { BatchArrays } from '../text/batches/batches.ts';

/** Input arrays of a batch, and the step scalars [stepWords]. */
export interface InputArrays extends BatchArrays {
  readonly step: Uint32Array;
}

const types = {
  src: Int32Array,
  tgtIn: Int32Array,
  tgtOut: Int32Array,
  srcLens: Uint32Array,
  tgtLens: Uint32Array,
  step: Uint32Array,
};

/** Returns the inputs of a program of trainingGraph, gradientGraph or evaluationGraph. Throws if one is missing. */
export function inputArrays({ inputs }: Program): InputArrays {
  for (const [name, type] of Object.entries(types))
    if (!(inputs[name] instanceof type)) throw new Error(`the program has no input ${name} in a ${type.name}`);
  return inputs as unknown as InputArrays;
}
