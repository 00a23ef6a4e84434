// Measures a training step of a preset (forward, backward, clipping and AdamW on a random batch): time,
// memory, dispatches, host work.

import { random } from '../core/random.ts';
import type { Engine, Program } from '../engine/engine.ts';
import type { Device } from '../engine/gpu/device.ts';
import { median } from '../engine/gpu/plan-timing.ts';
import { mfuOf } from '../engine/gpu/roofs.ts';
import { createStepWriter } from '../engine/ops/step-scalars.ts';
import { modelConfig } from '../model/model-config.ts';
import { parameterList } from '../model/parameters.ts';
import { writePositions } from '../model/positions.ts';
import { type PresetName, presets } from '../model/presets.ts';
import { fillBatch } from '../text/batches/batches.ts';
import type { EncodedCorpus, RaggedRows } from '../text/batches/encoded-corpus.ts';
import { initializeTraining } from '../train/run/training-state.ts';
import { optimizerConfig } from '../train/update/optimizer-config.ts';
import { inputArrays, trainingGraph } from '../train/update/training-graphs.ts';

/** Sizes of the batch and of the vocabulary. */
export interface StepShape {
  readonly batch: number;
  readonly source: number;
  readonly target: number;
  readonly vocab: number;
}

/** Cost of a step. */
export interface StepResult extends StepShape {
  readonly preset: PresetName;
  readonly parameters: number;
  /**
   * Median milliseconds of a step, whose loss is read back one step later; milliseconds of preparation and
   * first step.
   */
  readonly ms: number;
  readonly firstMs: number;
  /** Target tokens per second. */
  readonly tokensPerSecond: number;
  readonly gflops: number;
  /** Model FLOPs utilization, from 0 to 1; absent if the adapter's peak is unknown. */
  readonly mfu?: number;
  readonly dispatches: number;
  readonly submits: number;
  /** Bytes of GPU memory. */
  readonly bytes: number;
  /** Median milliseconds of JavaScript per step: filling the batch, recording, submitting. */
  readonly jsMs: number;
  /** Loss of the first and the last step; a model can memorize a random batch. */
  readonly firstLoss: number;
  readonly lastLoss: number;
}

/**
 * Trains `steps` + 1 steps of a preset; the median omits the first two. `engine` is a new engine of `device`;
 * `peakGflops` is the adapter's peak rate.
 */
export async function benchStep(
  device: Device,
  engine: Engine,
  preset: PresetName,
  shape: StepShape,
  steps: number,
  peakGflops?: number,
): Promise<StepResult> {
  const { batch: B, source: S, target: T, vocab } = shape;
  const config = modelConfig({ srcVocab: vocab, tgtVocab: vocab, ...presets[preset] });
  const p = parameterList(config);
  const begin = performance.now();
  const [program] = (await engine.prepare([trainingGraph(config, p, shape, optimizerConfig())])) as [Program];
  await initializeTraining(engine, { config, parameters: p }, { seed: 1, init: 'xavier' });
  writePositions(engine, config);
  const corpus = noiseCorpus(shape);
  const rows = Uint32Array.from({ length: B }, (_, i) => i);
  const arrays = inputArrays(program);
  const write = createStepWriter(arrays.step);
  const submits = countSubmits(device);
  const losses: number[] = [];
  const times: number[] = [];
  const js: number[] = [];
  let pending: Promise<void> | undefined;
  let last = 0;
  let firstMs = 0;
  for (let step = 0; step <= steps; step++) {
    const from = performance.now();
    const tokens = fillBatch(arrays, { batch: B, source: S, target: T }, corpus, rows);
    write({ learningRate: 1e-3, tokenWeight: 1 / tokens, seed: 1, step, keep: 0, position: 0 });
    const run = program.run();
    if (step > 0) js.push(performance.now() - from);
    const read = run.then(
      ({ stats }) => void losses.push((stats?.[0] ?? Number.NaN) / (stats?.[1] ?? Number.NaN)),
    );
    // Wait for the first step, in which the driver may compile. Later one step is always in flight.
    await (step === 0 ? read : pending);
    pending = step === 0 ? undefined : read;
    const now = performance.now();
    if (step === 0) firstMs = now - begin;
    if (step > 1) times.push(now - last);
    last = now;
  }
  await pending;
  const ms = median(times);
  return {
    preset,
    ...shape,
    parameters: p.count,
    ms,
    firstMs,
    tokensPerSecond: (B * T) / (ms / 1000),
    gflops: (program.plan?.flops ?? 0) / ms / 1e6,
    mfu: peakGflops ? mfuOf(program.plan?.modelFlops ?? 0, ms / 1000, peakGflops) : undefined,
    dispatches: program.plan?.passes.length ?? 0,
    submits: submits.end() / (steps + 1),
    bytes: program.plan?.bytes.peak ?? 0,
    jsMs: median(js),
    firstLoss: losses[0] as number,
    lastLoss: losses.at(-1) as number,
  };
}

/** Rows of random tokens that fill the batch, with room for the end token. */
export function noiseCorpus({ batch, source, target, vocab }: StepShape): EncodedCorpus {
  const special = { pad: 0, start: 1, end: 2, unknown: 3 };
  const r = random(1);
  const rows = (length: number): RaggedRows => ({
    ids: Uint32Array.from({ length: batch * length }, () => 4 + Math.floor(r.uniform() * (vocab - 4))),
    starts: Uint32Array.from({ length: batch + 1 }, (_, i) => i * length),
  });
  return {
    count: batch,
    source: rows(source),
    target: rows(target - 1),
    pairIndex: Uint32Array.from({ length: batch }, (_, i) => i),
    sourceSpecial: special,
    targetSpecial: special,
    tooLong: 0,
    truncated: 0,
    empty: 0,
    unknown: { source: 0, target: 0 },
    limits: { source, target },
  };
}

/** Counts the submissions to the queue of a device until `end`. */
function countSubmits({ gpu: { queue } }: Device): { end(): number } {
  const submit = queue.submit;
  let count = 0;
  queue.submit = (commands) => {
    count++;
    return submit.call(queue, commands);
  };
  return {
    end() {
      Reflect.deleteProperty(queue, 'submit'); // restores the method of the prototype
      return count;
    },
  };
}
