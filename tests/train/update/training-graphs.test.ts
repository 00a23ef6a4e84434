// The inputs of a training program.

import { expect, it } from 'vitest';
import { cpuEngine } from '../../../src/engine/cpu-engine.ts';
import type { Program } from '../../../src/engine/engine.ts';
import { evaluationGraph, inputArrays } from '../../../src/train/update/training-graphs.ts';
import { errorNaming } from '../../support/expect-error.ts';
import { smallModel } from '../../support/model.ts';

it('returns all inputs of a program', async () => {
  const { c, p } = smallModel();
  const graph = evaluationGraph(c, p, { batch: 2, source: 3, target: 4 });
  const [program] = (await cpuEngine().prepare([graph])) as [Program];
  const arrays = inputArrays(program);
  expect([arrays.src.length, arrays.tgtIn.length, arrays.srcLens.length]).toEqual([6, 8, 2]);
  expect(arrays.src).toBe(program.inputs.src);
  const narrow = { ...program, inputs: { ...program.inputs, tgtLens: new Int32Array(2) } };
  expect(() => inputArrays(narrow)).toThrow(errorNaming('tgtLens', 'Uint32Array'));
});
