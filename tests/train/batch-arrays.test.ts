import { expect, it } from 'vitest';
import { batchArrays } from '../../src/train/batch-arrays.ts';

it('gives the inputs of a program as a batch, or names the one that is missing', () => {
  const inputs = {
    src: new Int32Array(6),
    tgtIn: new Int32Array(4),
    tgtOut: new Int32Array(4),
    srcLens: new Uint32Array(2),
    tgtLens: new Uint32Array(2),
    step: new Uint32Array(8),
  };
  expect(batchArrays({ inputs })).toBe(inputs);
  const { tgtOut: _, ...others } = inputs;
  expect(() => batchArrays({ inputs: others })).toThrow('the program has no input tgtOut of Int32Array');
  expect(() => batchArrays({ inputs: { ...inputs, srcLens: new Int32Array(2) } })).toThrow('srcLens of Uint32Array');
});
