// The gradients of a small model on a random batch, as bits.

import type { Engine } from '../../src/engine/engine.ts';
import type { ModelOptions } from '../../src/model/model-config.ts';
import type { BatchShape } from '../../src/text/batches/buckets.ts';
import { type GraphOptions, gradientGraph } from '../../src/train/update/training-graphs.ts';
import { loadIds, randomIds, setStep, smallModel, startProgram } from './model.ts';

/** Runs a gradient graph once. */
export async function gradientsOf(
  engine: Engine,
  model: Partial<ModelOptions>,
  shape: BatchShape,
  options: GraphOptions,
) {
  const small = smallModel(model);
  const { graph } = gradientGraph(small.c, small.p, shape, options);
  const program = await startProgram(engine, small, graph);
  const ids = randomIds(small.c, shape);
  loadIds(program, ids);
  setStep(program, ids);
  const { stats } = await program.run();
  const values = (await engine.read('gradients')).data as Float32Array;
  return { graph, stats: stats as Float32Array, values, bits: new Uint32Array(values.buffer) };
}
