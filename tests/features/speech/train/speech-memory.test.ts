// The memory of a training of speech.

import { expect, it } from 'vitest';
import { defaultTraits } from '../../../../src/engine/ops/device-traits.ts';
import { makePlan } from '../../../../src/engine/plan/planner.ts';
import { frames } from '../../../../src/features/speech/frame-source.ts';
import { adaptedParameters, loraConfig } from '../../../../src/model/lora.ts';
import { modelConfig } from '../../../../src/model/model-config.ts';
import { parameterList } from '../../../../src/model/parameters.ts';
import { presets } from '../../../../src/model/presets.ts';
import { quantizedParameters } from '../../../../src/model/quantized-parameters.ts';
import { optimizerConfig } from '../../../../src/train/update/optimizer-config.ts';
import { trainingGraph } from '../../../../src/train/update/training-graphs.ts';

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
