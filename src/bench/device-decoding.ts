// Greedy decoding for the report of a device: a model with random weights, which generates as many tokens as it may.

import { decodeSettings, modeOf } from '../decode/decode-options.ts';
import { Decoder } from '../decode/decoder.ts';
import { searchFor } from '../decode/open-search.ts';
import { gpuEngine } from '../engine/engine.ts';
import type { Device } from '../engine/gpu/device.ts';
import type { KernelChooser } from '../engine/gpu/gpu-engine.ts';
import { initializeWeights } from '../model/initialize-weights.ts';
import { type ModelConfig, modelConfig } from '../model/model-config.ts';
import type { ParameterList } from '../model/parameter-layout.ts';
import { parameterList } from '../model/parameters.ts';
import { writePositions } from '../model/positions.ts';
import { type PresetName, presets } from '../model/presets.ts';

/** Size of the vocabularies of the models that are measured. */
export const measuredVocab = 8000;

/** A model with random weights. */
export interface RandomModel {
  readonly config: ModelConfig;
  readonly parameters: ParameterList;
  readonly weights: Float32Array;
}

/** Makes the model of a preset. */
export function randomModel(preset: PresetName): RandomModel {
  const config = modelConfig({ srcVocab: measuredVocab, tgtVocab: measuredVocab, ...presets[preset] });
  const parameters = parameterList(config);
  return { config, parameters, weights: initializeWeights(config, parameters, 1) };
}

/** Sources of one length and the number of tokens that each is decoded to. */
export interface DecodingTask {
  readonly sources: readonly Uint32Array[];
  readonly tokens: number;
}

/** The task of a batch size. `length`: of the sources. */
export const decodingTask = (batch: number, length: number, tokens: number): DecodingTask => ({
  sources: Array.from({ length: batch }, (_, row) =>
    Uint32Array.from({ length }, (_, i) => 4 + ((row * 31 + i * 17) % (measuredVocab - 4))),
  ),
  tokens,
});

/** What was decoded, and the time. */
export interface MeasuredDecoding {
  /** Ids of each row without start and end. */
  readonly ids: readonly (readonly number[])[];
  readonly tokensPerSecond: number;
}

/**
 * Decodes a task once, then three times against the clock. `accepts`: whether the ids of the first run are right; if
 * they are not, nothing is timed and the speed is 0.
 */
export async function timeDecoding(
  { sources, tokens }: DecodingTask,
  decode: () => Promise<MeasuredDecoding['ids']>,
  accepts: (ids: MeasuredDecoding['ids']) => boolean = () => true,
): Promise<MeasuredDecoding> {
  const ids = await decode(); // the driver may compile
  if (!accepts(ids)) return { ids, tokensPerSecond: 0 };
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3; i++) {
    const from = performance.now();
    await decode();
    best = Math.min(best, performance.now() - from);
  }
  return { ids, tokensPerSecond: (1000 * sources.length * tokens) / best };
}

/** Decodes a task with heddle on a device. */
export async function decodeOnDevice(
  device: Device,
  kernels: KernelChooser,
  { config: c, parameters, weights }: RandomModel,
  task: DecodingTask,
): Promise<MeasuredDecoding> {
  const { sources, tokens } = task;
  const settings = decodeSettings({ minNewTokens: tokens - 1, maxNewTokens: tokens }, c, tokens);
  const engine = gpuEngine(device, { kernels });
  try {
    const shape = { batch: sources.length, beams: 1, source: sources[0]?.length ?? 0, target: tokens };
    const decoder = await Decoder.open(engine, c, parameters, shape, modeOf(settings));
    engine.write('weights', weights);
    writePositions(engine, c);
    const streams = sources.map((_, i) => i);
    return await timeDecoding(task, async () => {
      const search = await searchFor(settings, sources, c.endId);
      for await (const _ of decoder.run({ sources, streams }, settings, search));
      return search.finish().map(([best]) => best?.ids ?? []);
    });
  } finally {
    engine.destroy();
  }
}
