// heddle profile: measures the time of each pass of a run, with FLOPs and bytes.

import { adapterName } from '../../core/host-name.ts';
import { msg } from '../../core/message.ts';
import { random } from '../../core/random.ts';
import type { Program } from '../../engine/engine.ts';
import type { Profile } from '../../engine/gpu/profile.ts';
import { measurePeakGflops, mfuOf } from '../../engine/gpu/roofs.ts';
import { writeStep } from '../../engine/ops/step-scalars.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import { writePositions } from '../../model/positions.ts';
import type { Job } from '../../session/job.ts';
import { fillTokenIndices } from '../../text/batches/batches.ts';
import { initialWeights } from '../../train/run/training-state.ts';
import { inputArrays } from '../../train/update/training-graphs.ts';
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
export const profile: Job<ProfileArguments, ProfileResult> = async (args, session) => {
  const { config, parameters, graphs } = await presetGraphs(args, session.features.sourceKinds);
  const device = await session.device.open();
  const engine = await session.engine();
  try {
    const [program] = await engine.prepare(graphs);
    if (!program?.plan || !engine.profile) throw new Error('profile: the engine has no passes to time');
    engine.write('weights', await initialWeights(config, parameters, 1));
    writePositions(engine, config);
    fillInputs(program, config);
    const text = msg`${program.plan.passes.length} passes, ${args.runs} runs`;
    session.emit({ type: 'progress', task: 'profile', done: 0, total: 1, text });
    const times = await engine.profile(program, args.runs);
    const { modelFlops } = program.plan;
    const peakGflops = (await session.kernels.peakGflops()) ?? (await measurePeakGflops(device));
    return {
      backend: session.backend,
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

/** Writes random tokens without padding, in rows of full length, and the other inputs of a training step. */
function fillInputs(program: Program, c: ModelConfig): void {
  const inputs = inputArrays(program);
  const { src, tgtIn, tgtOut, srcLens, tgtLens, step } = inputs;
  const r = random(1);
  const fill = (ids: Int32Array, vocab: number) => {
    for (let i = 0; i < ids.length; i++)
      ids[i] = (c.padId + 1 + Math.floor(r.uniform() * (vocab - 1))) % vocab;
  };
  fill(src, c.srcVocab);
  fill(tgtIn, c.tgtVocab);
  fill(tgtOut, c.tgtVocab);
  srcLens.fill(src.length / srcLens.length);
  tgtLens.fill(tgtIn.length / tgtLens.length);
  fillTokenIndices(inputs);
  writeStep(step, { learningRate: 1e-4, tokenWeight: 1 / tgtOut.length, seed: 1 });
}
