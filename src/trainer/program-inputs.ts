// What a program of one of the graphs of training reads before each run, as arrays of their types.

import type { Program } from '../engine/engine.ts';
import type { BatchArrays } from '../text/batches/batches.ts';

/** A batch, and the block of scalars [stepWords]. */
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

/** The inputs of a program of trainingGraph, gradientGraph or evaluationGraph. Throws for a program that has not all of them. */
export function inputArrays({ inputs }: Program): InputArrays {
  for (const [name, type] of Object.entries(types))
    if (!(inputs[name] instanceof type)) throw new Error(`the program has no input ${name} in a ${type.name}`);
  return inputs as unknown as InputArrays;
}
