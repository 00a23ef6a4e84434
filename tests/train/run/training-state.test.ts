// Checkpoints: optimizer states round-trip bit for bit, and errors for folders without a checkpoint.

import { describe, expect, it } from 'vitest';
import { HeddleError } from '../../../src/core/errors.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { cpuEngine } from '../../../src/engine/cpu-engine.ts';
import type { Files } from '../../../src/files/files.ts';
import { readSafetensors } from '../../../src/files/safetensors.ts';
import { writeSafetensors } from '../../../src/files/write-safetensors.ts';
import { initializeWeights } from '../../../src/model/initialize-weights.ts';
import { modelConfig } from '../../../src/model/model-config.ts';
import { parameterList } from '../../../src/model/parameters.ts';
import {
  checkpointFiles,
  initialWeights,
  readTrainingState,
  restoreOptimizer,
} from '../../../src/train/run/training-state.ts';
import type { CompleteArguments } from '../../../src/train/settings/train-arguments.ts';
import {
  optimizerConfig,
  optimizerNames,
  optimizerStates,
} from '../../../src/train/update/optimizer-config.ts';
import { trainingGraph } from '../../../src/train/update/training-graphs.ts';
import { type ExpectedError, errorAbout } from '../../support/expect-error.ts';
import { loadIds, randomIds, setStep, smallModel, startProgram } from '../../support/model.ts';

const shape = { batch: 2, source: 4, target: 3 };

/** Files of one folder, in memory. */
function folderOf(contents: Record<string, Uint8Array>): Files {
  const at = (path: string) => contents[path.replace('run/', '')];
  return {
    read: async (path) => at(path) ?? Promise.reject(new HeddleError(`no ${path}`)),
    exists: async (path) => path === 'run' || at(path) !== undefined,
    list: async () => Object.keys(contents),
    write: async () => {},
    rename: async () => {},
    remove: async () => {},
  };
}

async function trained(kind: (typeof optimizerNames)[number]) {
  const model = smallModel();
  const optimizer = optimizerConfig({ kind, emaDecay: 0.5 });
  const graph = trainingGraph(model.c, model.p, shape, optimizer);
  const engine = cpuEngine();
  const program = await startProgram(engine, model, graph);
  const ids = randomIds(model.c, shape);
  loadIds(program, ids);
  setStep(program, ids);
  await program.run();
  const state = { step: 1, skipped: 0, arguments: { steps: 9 } as CompleteArguments };
  const files = await checkpointFiles(engine, { all: model.p, parameters: model.p }, optimizer, state);
  return { ...model, optimizer, graph, engine, files };
}

describe('a checkpoint', () => {
  for (const kind of optimizerNames)
    it(`of ${kind} brings back all states with the same bits`, async () => {
      const { p, optimizer, graph, engine, files } = await trained(kind);
      const other = cpuEngine();
      await other.prepare([graph]);
      await restoreOptimizer(other, folderOf(files), 'run', { all: p, parameters: p }, optimizer);
      for (const name of optimizerStates(optimizer)) {
        const was = (await engine.read(name)).data;
        expect(was.some((x) => x !== 0)).toBe(true);
        expect((await other.read(name)).data).toEqual(was);
      }
    });

  it('reports the position of training', async () => {
    const { files } = await trained('adamw');
    expect(await readTrainingState(folderOf(files), 'run')).toEqual({
      version: 1,
      step: 1,
      skipped: 0,
      engine: 'cpu',
      choices: {},
      arguments: { steps: 9 },
    });
  });

  const json = (text: string) => ({ 'state.json': new TextEncoder().encode(text) });
  const broken: [string, Record<string, Uint8Array>, ExpectedError][] = [
    ['absent', {}, { kind: 'not-found', area: 'run', values: ['state.json'] }],
    ['cut off', json('{"version": 1, "st'), { area: 'run/state.json' }],
    ['of another version', json('{"version": 2}'), { area: 'run/state.json', values: ['2'] }],
    ['without a step', json('{"version": 1}'), { area: 'run/state.json', values: ['undefined'] }],
    ['at a negative step', json('{"version": 1, "step": -1}'), { area: 'run/state.json', values: ['-1'] }],
    ['null', json('null'), { area: 'run/state.json', values: ['undefined'] }],
  ];
  for (const [title, contents, expected] of broken)
    it(`that is ${title} is rejected`, async () => {
      const read = readTrainingState(folderOf(contents), 'run');
      await expect(read).rejects.toThrow(errorAbout(expected));
    });

  const lies: [string, (t: Record<string, Tensor>) => void, ExpectedError][] = [
    [
      'has no counters',
      (t) => delete t.counters,
      { area: 'run/optimizer.safetensors', values: ['counters', 8] },
    ],
    [
      'has counters of another length',
      (t) => {
        t.counters = { dtype: 'f32', shape: [9], data: new Float32Array(9) };
      },
      { area: 'run/optimizer.safetensors', values: ['counters', 8] },
    ],
    [
      'has none of the moments',
      (t) => {
        for (const key of Object.keys(t)) if (key.startsWith('moment1.')) delete t[key];
      },
      { area: 'run/optimizer.safetensors', values: ['moment1'] },
    ],
    [
      'lacks a moment',
      (t) => delete t['moment2.generator.bias'],
      { area: 'weights', values: ['generator.bias'] },
    ],
  ];
  for (const [title, change, expected] of lies)
    it(`that ${title} is rejected`, async () => {
      const { p, optimizer, graph, files } = await trained('adamw');
      const tensors = readSafetensors(files['optimizer.safetensors']!);
      change(tensors);
      const engine = cpuEngine();
      await engine.prepare([graph]);
      const folder = folderOf({ ...files, 'optimizer.safetensors': writeSafetensors(tensors) });
      const restore = restoreOptimizer(engine, folder, 'run', { all: p, parameters: p }, optimizer);
      await expect(restore).rejects.toThrow(errorAbout(expected));
    });
});

it('initializes weights with the bits of one go, and lets other work run between the parameters', async () => {
  const sizes = { dModel: 64, heads: 2, feedForward: 64, encoderLayers: 1, decoderLayers: 1 };
  const c = modelConfig({ srcVocab: 20_000, tgtVocab: 20_000, ...sizes });
  const p = parameterList(c);
  const whole = initializeWeights(c, p, 7);
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  const inParts = await initialWeights(c, p, 7);
  clearInterval(timer);
  expect(Buffer.from(inParts.buffer).equals(Buffer.from(whole.buffer))).toBe(true);
  expect(turns).toBeGreaterThan(0);
});
