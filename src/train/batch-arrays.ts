// The inputs of a program as the arrays of a batch, which src/text fills.

import type { Program } from '../engine.ts';
import type { BatchArrays } from '../text/batches.ts';

const needed = { src: Int32Array, tgtIn: Int32Array, tgtOut: Int32Array, srcLens: Uint32Array, tgtLens: Uint32Array };

/** The arrays of a batch among a program's inputs. Throws an Error that names the one which the program does not have. */
export function batchArrays({ inputs }: Pick<Program, 'inputs'>): BatchArrays {
  for (const [name, type] of Object.entries(needed))
    if (!(inputs[name] instanceof type)) throw new Error(`batch: the program has no input ${name} of ${type.name}`);
  return inputs as unknown as BatchArrays;
}
