// heddle profile: measures the time of each pass of a run, with FLOPs and bytes.

import { adapterName } from '../core/host-name.ts';
import { random } from '../core/random.ts';
import type { TensorData } from '../core/tensor.ts';
import { writePositions } from '../engine/model-states.ts';
import type { Profile } from '../gpu/profile.ts';
import { measurePeakGflops, mfuOf } from '../gpu/roofs.ts';
import { initializeWeights } from '../model/initialize-weights.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { parameterList } from '../model/parameters.ts';
import { writeStep } from '../ops/step-scalars.ts';
import type { Job } from '../runtime/job.ts';
import { fillTokenIndex } from '../text/batches/batch-inputs.ts';
import { type PresetArguments, presetGraphs } from './preset-graphs.ts';

/** Arguments of the job; plain JSON. */
export interface ProfileArguments extends PresetArguments {
  readonly run: 'training' | 'evaluation';
  /** Number of runs; times are medians. */
  readonly runs: number;
}

/** Result of the job; plain JSON. */
export interface ProfileResult extends Profile {
  readonly backend: string;
  readonly adapter: string;
  /** Floating-point operations of the matrix products; see `modelFlops` of a plan. */
  readonly modelFlops: number;
  /** Peak rate of the adapter in GFLOP/s, and the model FLOPs utilization, from 0 to 1. */
  readonly peakGflops: number;
  readonly mfu: number;
}

/** Profiles a run on a batch of random tokens, every row as long as the shape. */
export const profile: Job<ProfileArguments, ProfileResult> = async (args, context) => {
  const { config, graphs } = presetGraphs(args);
  const device = await context.device();
  const engine = await context.engine();
  try {
    const [program] = await engine.prepare(graphs);
    if (!program?.plan || !engine.profile) throw new Error('profile: the engine has no passes to time');
    engine.write('weights', initializeWeights(config, parameterList(config), 1, 'xavier'));
    writePositions(engine, config);
    fillInputs(program.inputs, config);
    const text = `${program.plan.passes.length} passes, ${args.runs} runs`;
    context.emit({ type: 'progress', task: 'profile', done: 0, total: 1, text });
    const times = await engine.profile(program, args.runs);
    const { modelFlops } = program.plan;
    const peakGflops = (await context.peakGflops()) ?? (await measurePeakGflops(device));
    return {
      backend: context.backend,
      adapter: adapterName(device.adapter),
      ...times,
      modelFlops,
      peakGflops,
      mfu: mfuOf(modelFlops, times.ms / 1000, peakGflops),
    };
  } finally {
    engine.destroy();
  }
};

/** Random tokens without padding, in rows of full length, and the inputs of a training step. */
function fillInputs(inputs: Readonly<Record<string, TensorData>>, c: ModelConfig): void {
  const r = random(1);
  const fill = (name: string, vocab: number) => {
    const ids = inputs[name] as TensorData;
    for (let i = 0; i < ids.length; i++) ids[i] = (c.padId + 1 + Math.floor(r.uniform() * (vocab - 1))) % vocab;
  };
  fill('src', c.srcVocab);
  fill('tgtIn', c.tgtVocab);
  fill('tgtOut', c.tgtVocab);
  for (const [lengths, ids] of [
    ['srcLens', 'src'],
    ['tgtLens', 'tgtIn'],
  ] as const) {
    const rows = inputs[lengths] as TensorData;
    rows.fill((inputs[ids] as TensorData).length / rows.length);
  }
  for (const [side, ids] of [
    ['src', 'src'],
    ['tgt', 'tgtIn'],
  ] as const) {
    const starts = inputs[`${side}RowStart`];
    if (starts) fillTokenIndex(starts, inputs[`${side}Occurrences`] as Uint32Array, inputs[ids] as TensorData);
  }
  const tokenWeight = 1 / (inputs.tgtOut as TensorData).length;
  writeStep(inputs.step as Uint32Array, { learningRate: 1e-4, tokenWeight, seed: 1, step: 0, keep: 0, position: 0 });
}
