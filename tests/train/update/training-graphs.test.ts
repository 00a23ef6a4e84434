// The inputs of a training program, and the memory of one for speech.

import { expect, it } from 'vitest';
import { cpuEngine } from '../../../src/engine/cpu-engine.ts';
import type { Program } from '../../../src/engine/engine.ts';
import { defaultTraits } from '../../../src/engine/ops/device-traits.ts';
import { makePlan } from '../../../src/engine/plan/planner.ts';
import { frames } from '../../../src/features/speech/frame-source.ts';
import { adaptedParameters, loraConfig } from '../../../src/model/lora.ts';
import { modelConfig } from '../../../src/model/model-config.ts';
import { parameterList } from '../../../src/model/parameters.ts';
import { presets } from '../../../src/model/presets.ts';
import { quantizedParameters } from '../../../src/model/quantized-parameters.ts';
import { optimizerConfig } from '../../../src/train/update/optimizer-config.ts';
import { evaluationGraph, inputArrays, trainingGraph } from '../../../src/train/update/training-graphs.ts';
import { smallModel } from '../../support/model.ts';

it('returns all inputs of a program', async () => {
  const { c, p } = smallModel();
  const graph = evaluationGraph(c, p, { batch: 2, source: 3, target: 4 });
  const [program] = (await cpuEngine().prepare([graph])) as [Program];
  const arrays = inputArrays(program);
  expect([arrays.src.length, arrays.tgtIn.length, arrays.srcLens.length]).toEqual([6, 8, 2]);
  expect(arrays.src).toBe(program.inputs.src);
  const narrow = { ...program, inputs: { ...program.inputs, tgtLens: new Int32Array(2) } };
  expect(() => inputArrays(narrow)).toThrow('the program has no input tgtLens in a Uint32Array');
});

it('trains a LoRA adapter of whisper-tiny on int8 with 4 windows of 30 s in less than 600 MiB', async () => {
  const [vocab, end] = [51865, 50257];
  const c = modelConfig({
    ...presets['speech-tiny'],
    dModel: 384,
    heads: 6,
    encoderLayers: 4,
    decoderLayers: 4,
    feedForward: 1536,
    maxSource: 1500,
    maxLength: 448,
    trainPadding: false,
    srcVocab: vocab,
    tgtVocab: vocab,
    padId: end,
    startId: end + 1,
    endId: end,
  });
  const lora = loraConfig({ rank: 8 });
  const p = adaptedParameters(quantizedParameters(parameterList(c, frames), 'int8'), lora);
  const peak = (gradientCheckpointing: boolean) => {
    const shape = { batch: 4, source: 3000, target: 64 };
    const graph = trainingGraph(c, p, shape, optimizerConfig({}), { lora, gradientCheckpointing });
    return makePlan(graph, { traits: defaultTraits }).bytes.peak / 2 ** 20;
  };
  expect(peak(false)).toBeLessThan(500);
  expect(peak(true)).toBeLessThan(250);
});
