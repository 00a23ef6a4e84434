// Guided alignment in the graph of a training: the GPU has the gradients of the references, gradient checkpointing
// their bits, and without the loss nothing changes.
import { expect, it } from 'vitest';
import { cpuEngine } from '../../../../src/engine/cpu-engine.ts';
import type { Engine } from '../../../../src/engine/engine.ts';
import { guidedLoss } from '../../../../src/features/corpora/train/guided-loss.ts';
import type { ModelOptions } from '../../../../src/model/model-config.ts';
import { type GraphOptions, gradientGraph } from '../../../../src/train/update/training-graphs.ts';
import { testEngine } from '../../../support/engine.ts';
import { loadIds, randomIds, setStep, smallModel, startProgram } from '../../../support/model.ts';
import { relativeError } from '../../../support/op.ts';

const shape = { batch: 3, source: 6, target: 5 };
const lossParts = [guidedLoss(0.5)];

async function gradientsOf(engine: Engine, options: GraphOptions, model: Partial<ModelOptions> = {}) {
  const small = smallModel({ decoderLayers: 2, alignmentHead: 1, ...model });
  const { graph } = gradientGraph(small.c, small.p, shape, options);
  const program = await startProgram(engine, small, graph);
  const ids = randomIds(small.c, shape);
  loadIds(program, ids);
  setStep(program, ids);
  program.inputs.links?.set(Array.from({ length: 15 }, (_, i) => [0b1, 0b110, 0, 0b1000][i % 4] ?? 0));
  const { alignmentLoss, stats } = await program.run();
  const values = Float32Array.from((await engine.read('gradients')).data);
  engine.destroy();
  return { alignment: alignmentLoss?.[0], stats: stats?.[0], values };
}

it.each([{}, { decoderSelfAttention: 'ssru', norm: 'pre' }] as Partial<ModelOptions>[])(
  'has the gradients of the references with %j, also with gradient checkpointing',
  async (model) => {
    const expected = await gradientsOf(cpuEngine(), { lossParts }, model);
    const found = await gradientsOf(await testEngine(), { lossParts }, model);
    expect(found.alignment).toBeCloseTo(expected.alignment ?? Number.NaN, 4);
    expect(relativeError(found.values, expected.values)).toBeLessThan(2e-5);
    const recomputed = await gradientsOf(
      await testEngine(),
      { lossParts, gradientCheckpointing: true },
      model,
    );
    expect(recomputed.values).toEqual(found.values);
    const plain = await gradientsOf(await testEngine(), {}, model);
    expect(plain.alignment).toBeUndefined();
    expect(plain.stats).toBe(found.stats);
    expect(plain.values).not.toEqual(found.values);
  },
);
