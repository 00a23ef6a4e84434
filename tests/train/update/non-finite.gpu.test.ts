// Training with checkFinite: names the origin of the first non-finite value, and changes no result.

import { describe, expect, it } from 'vitest';
import type { Engine } from '../../../src/engine/engine.ts';
import { initializeTraining } from '../../../src/train/run/training-state.ts';
import { optimizerConfig } from '../../../src/train/update/optimizer-config.ts';
import { Trainer } from '../../../src/train/update/trainer.ts';
import type { TrainerOptions, UpdateConfig } from '../../../src/train/update/trainer-graphs.ts';
import { testEngine } from '../../support/engine.ts';
import { type ExpectedError, errorAbout } from '../../support/expect-error.ts';
import { loadIds, randomIds, smallModel } from '../../support/model.ts';

const shape = { batch: 4, source: 6, target: 5 };
const model = smallModel({ srcVocab: 20, tgtVocab: 24, dModel: 16, feedForward: 32, dropout: 0.1 });
const optimizer = optimizerConfig();

async function training(options: TrainerOptions, gradientAccumulationSteps = 1) {
  const engine = await testEngine();
  const schedule = {
    kind: 'constant',
    learningRate: 1e-2,
    warmupSteps: 0,
    steps: 9,
    minLearningRate: 0,
    dModel: 16,
  } as const;
  const recipe: UpdateConfig = { optimizer, schedule, seed: 4, init: 'xavier', gradientAccumulationSteps };
  const trained = { config: model.c, parameters: model.p };
  const trainer = await Trainer.open(engine, trained, recipe, [shape], options);
  await initializeTraining(engine, trained, recipe);
  const update = () => {
    const batches = Array.from({ length: gradientAccumulationSteps }, (_, k) => {
      const ids = randomIds(model.c, shape, 10 * trainer.step + k);
      const fill = (arrays: object) => loadIds({ inputs: arrays } as Parameters<typeof loadIds>[0], ids);
      return { shape: 0, tokens: ids.tgtLens.reduce((a, b) => a + b, 0), fill };
    });
    return trainer.update(batches);
  };
  return { engine, trainer, update };
}

/** Puts a number into the first two elements of a weight. */
function overwrite(engine: Engine, name: string, value: number): void {
  engine.write('weights', Float32Array.of(value, value), model.p.byName.get(name)!.offset);
}

const weights = async (engine: Engine) => new Uint32Array((await engine.read('weights')).data.buffer);

describe('a number that is not finite', () => {
  // Numbers so large that the products they enter overflow.
  const cases: Record<string, ExpectedError> = {
    'transformer.encoder.layers.0.linear2.weight': {
      values: [2, 'linear', 'encoder.layers.0.linear2', 'encoder.layers.0.linear2.linear'],
    },
    'transformer.decoder.layers.0.multihead_attn.kv_proj.weight': {
      values: [2, 'decoder.layers.0.multihead_attn', 0],
    },
    'generator.weight': { values: [2, 'linear', 'generator', 'generator.linear'] },
  };
  for (const [name, expected] of Object.entries(cases))
    it(`is named by step, op, layer and tensor, from a large ${name}`, async () => {
      const { engine, update } = await training({ checkFinite: true });
      await update();
      const { offset, shape } = model.p.byName.get(name)!;
      engine.write('weights', new Float32Array(shape[0]! * shape[1]!).fill(3e38), offset);
      await expect(update()).rejects.toThrow(errorAbout(expected));
      engine.destroy();
    });

  it('is named if it comes from a file or an earlier step', async () => {
    const { engine, update } = await training({ checkFinite: true });
    overwrite(engine, 'transformer.decoder.layers.0.norm2.bias', Number.NaN);
    await expect(update()).rejects.toThrow(
      errorAbout({ values: [1, 'weights', 'transformer.decoder.layers.0.norm2.bias', '[16]'] }),
    );
    engine.destroy();
  });

  it('is named with its parameter if the optimizer update produces it', async () => {
    const { engine, trainer, update } = await training({ checkFinite: true });
    // A negative second moment is finite, but its square root is not.
    const { offset } = model.p.byName.get('generator.bias')!;
    engine.write('moment2', Float32Array.of(-1), offset + 2);
    await expect(update()).rejects.toThrow(errorAbout({ values: [1, 'adamw', 'optimizer', 'weights'] }));
    expect(trainer.step).toBe(1);
    engine.destroy();
  });

  it('is named in a smaller parameter buffer, if other parameters are frozen', async () => {
    const freeze = ['transformer.*', 'src_embed*'];
    const { engine, trainer, update } = await training({ checkFinite: true, freeze });
    const { offset } = trainer.trainable.parameters.byName.get('generator.bias')!;
    expect(offset).toBeLessThan(model.p.byName.get('generator.bias')!.offset);
    engine.write('moment1', Float32Array.of(Number.NaN), offset + 5);
    await expect(update()).rejects.toThrow(errorAbout({ values: [1, 'moment1', 'generator.bias', '[24]'] }));
    engine.destroy();
  });

  it('is found in micro-batches, and in the update that follows them', async () => {
    const { engine, update } = await training({ checkFinite: true }, 2);
    await update();
    engine.write('moment2', Float32Array.of(-1), model.p.byName.get('generator.bias')!.offset);
    await expect(update()).rejects.toThrow(errorAbout({ values: [2, 'adamw', 'optimizer'] }));
    engine.destroy();
  });
});

it('changes no bit and no report of a run in which all values are finite', async () => {
  const runs = [];
  for (const checkFinite of [false, true]) {
    const { engine, update } = await training({ checkFinite });
    const reports = [await update(), await update()];
    runs.push({ reports, bits: await weights(engine) });
    engine.destroy();
  }
  expect(runs[1]).toEqual(runs[0]);
});
