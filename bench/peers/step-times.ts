// Training steps of all contestants: checks golden cases, then times the steps in turn, so that a slow moment
// of the machine affects all contestants.

import type { GoldenCase } from '../../src/commands/jobs/verify/golden-case.ts';
import { median } from '../../src/engine/gpu/plan-timing.ts';
import type { ApiCounter, DeviceBytes, Totals } from './api-counter.ts';
import type { Contestant, StepFacts, TrainedModel } from './contestant.ts';
import { hostTiming, relative, round } from './statistics.ts';

/** Relative errors of a golden case and the number of updates. */
export interface ReproducedCase {
  readonly loss: number;
  readonly gradNorm: number;
  readonly losses: number;
  readonly updates: number;
}

/**
 * Allowed relative errors. Float32 drifts from float64 by up to 9e-4 in 12 updates of `small`, as PyTorch's
 * float32 does. Adam hides wrong clipping, so the gradient norm is checked separately.
 */
const limits = { loss: 1e-4, gradNorm: 1e-3, losses: 1e-3 } as const;

const expectedAt = (golden: GoldenCase, name: string, i = 0): number =>
  golden.expected[name]?.data[i] ?? Number.NaN;
const modelOf = (contestant: Contestant, golden: GoldenCase): TrainedModel => {
  if (!contestant.model) throw new Error(`${contestant.name} cannot train`);
  return contestant.model(golden);
};

/** Reproduces a golden case. Throws if an error is above its limit. */
export async function reproduce(contestant: Contestant, golden: GoldenCase): Promise<ReproducedCase> {
  const model = modelOf(contestant, golden);
  const updates = golden.optimizer.steps;
  const loss = relative(await model.loss(), expectedAt(golden, 'loss'));
  const gradNorm = relative(await model.gradNorm(), expectedAt(golden, 'grad_norm'));
  let losses = 0;
  for (let i = 0; i <= updates; i++) {
    const got = await (i < updates ? model.step() : model.loss());
    losses = Math.max(losses, relative(got, expectedAt(golden, 'losses', i)));
  }
  model.dispose();
  const result = { loss, gradNorm, losses, updates };
  if (!(loss <= limits.loss && gradNorm <= limits.gradNorm && losses <= limits.losses))
    throw new Error(`${contestant.name} does not reproduce ${golden.name}: ${JSON.stringify(result)}`);
  return result;
}

/** Duration of a measurement. */
export interface Rounds {
  readonly steps: number;
  readonly warmups: number;
  /** After three rounds no new round starts after this time. */
  readonly maxSeconds: number;
}

/** The steps of one contestant on one case. */
export interface TimedSteps {
  readonly contestant: string;
  readonly steps: number;
  readonly medianMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  /** Median over the rounds of its time divided by heddle's (without heddle: by the first contestant's). */
  readonly ratio: number;
  /** Source and target positions per second, padding included. */
  readonly tokensPerSecond: number;
  readonly firstStepMs: number;
  /**
   * CPU time of a step: milliseconds until `step` returns its promise, over consecutive steps. Median and
   * minimum.
   */
  readonly hostMs: number;
  readonly hostMinMs: number;
  readonly peakBytes: number;
  /** Bytes that the library reports; null if it reports none. */
  readonly libraryBytes: number | null;
  readonly dispatches: number;
  readonly submits: number;
  /** Buffers, bind groups, pipelines and other objects created in one step. */
  readonly objects: number;
  readonly lastLoss: number;
  readonly facts?: StepFacts | undefined;
}

interface Run {
  readonly contestant: Contestant;
  readonly model: TrainedModel;
  readonly firstStepMs: number;
  readonly bytes: DeviceBytes;
  readonly counted: Totals;
  readonly times: number[];
  readonly host: number[];
  loss: number;
}

/**
 * Times the steps of all contestants on a case. Throws if the losses of the first steps are not the expected
 * ones.
 */
export async function timeSteps(
  contestants: readonly Contestant[],
  meter: ApiCounter,
  golden: GoldenCase,
  { steps, warmups, maxSeconds }: Rounds,
  log: (line: string) => void,
): Promise<TimedSteps[]> {
  const runs: Run[] = [];
  // Without a reference the losses of the first contestant are the expected ones.
  const expected = Array.from(golden.expected.losses?.data ?? []);
  for (const contestant of contestants)
    runs.push(await warmUp(contestant, meter, golden, expected, warmups, log));
  const start = performance.now();
  for (let i = 0; i < steps && (i < 3 || performance.now() - start < maxSeconds * 1e3); i++)
    for (const run of runs) {
      const begun = performance.now();
      run.loss = await run.model.step();
      run.times.push(performance.now() - begun);
      log(`${run.contestant.name} step ${i}: ${run.times.at(-1)?.toFixed(0)} ms, loss ${run.loss}`);
    }
  for (const run of runs) await timeHost(run);
  const positions = golden.source.data.length + golden.targetIn.data.length;
  const measure = (runs.find(({ contestant }) => contestant.name === 'heddle') ?? (runs[0] as Run)).times;
  return runs.map(({ contestant, model, times, host, firstStepMs, bytes, counted, loss }) => {
    const library = contestant.memory();
    const facts = model.facts;
    model.dispose();
    return {
      contestant: contestant.name,
      steps: times.length,
      medianMs: round(median(times)),
      minMs: round(Math.min(...times)),
      maxMs: round(Math.max(...times)),
      ratio: round(median(times.map((ms, i) => ms / (measure[i] as number))), 3),
      tokensPerSecond: round((positions / median(times)) * 1e3, 3),
      firstStepMs: round(firstStepMs),
      hostMs: round(median(host), 3),
      hostMinMs: round(Math.min(...host), 3),
      peakBytes: bytes.peak,
      libraryBytes: library,
      ...counted,
      lastLoss: loss,
      facts,
    };
  });
}

/** Times the CPU work of consecutive steps. */
async function timeHost({ model, host }: Run): Promise<void> {
  const start = performance.now();
  for (
    let i = 0;
    i < hostTiming.steps && (i < 3 || performance.now() - start < hostTiming.seconds * 1e3);
    i++
  ) {
    const begun = performance.now();
    const loss = model.step();
    host.push(performance.now() - begun);
    await loss;
  }
}

/** Runs the first steps of a contestant: times and checks them, then counts the calls of one more. */
async function warmUp(
  contestant: Contestant,
  meter: ApiCounter,
  golden: GoldenCase,
  expected: number[],
  warmups: number,
  log: (line: string) => void,
): Promise<Run> {
  const model = modelOf(contestant, golden);
  let firstStepMs = Number.NaN;
  for (let i = 0; i < Math.max(1, warmups); i++) {
    const begun = performance.now();
    const loss = await model.step();
    const ms = performance.now() - begun;
    if (i === 0) firstStepMs = ms;
    if (i <= golden.optimizer.steps) {
      expected[i] ??= loss;
      const want = expected[i] as number;
      if (!(relative(loss, want) <= limits.losses))
        throw new Error(`${contestant.name}: loss ${loss} of step ${i} of ${golden.name}, expected ${want}`);
    }
    log(`${contestant.name} ${golden.name} warm-up ${i}: ${ms.toFixed(0)} ms, loss ${loss}`);
  }
  const bytes = meter.bytesOf(contestant.device);
  bytes.peak = bytes.live;
  let loss = Number.NaN;
  const counted = await meter.count(async () => {
    loss = await model.step();
  });
  return { contestant, model, firstStepMs, bytes, counted, times: [], host: [], loss };
}
