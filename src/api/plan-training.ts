// What a training will be, before it starts: its data, model, steps and memory.

import { HeddleError } from '../core/errors.ts';
import { formatBytes } from '../core/format-numbers.ts';
import type { Files } from '../files/files.ts';
import { adapterName, type Device } from '../gpu/device.ts';
import type { ModelConfig } from '../model/model-config.ts';
import type { Plan } from '../plan/plan.ts';
import { makePlan } from '../plan/planner.ts';
import type { JobEvent } from '../runtime/job.ts';
import type { CorpusArguments } from '../runtime/load-corpus.ts';
import { describeLeftOut, type EncodedCorpus, sourceLength, targetLength } from '../text/batches/encoded-corpus.ts';
import type { Pair } from '../text/corpus/pairs.ts';
import { corpusName, shapeName } from '../train/logging.ts';
import { setUp } from '../train/setup.ts';
import { trainingGraph } from '../trainer/training-graphs.ts';
import { currentPlatform } from './platform.ts';
import { openSession, type SessionOptions } from './session.ts';
import { runInputs, type TrainData } from './train.ts';

/** Options of `planTraining`: those of `train` that decide data, model and memory. */
export type PlanTrainingOptions = TrainData &
  Pick<SessionOptions, 'device'> & {
    /** Files of a corpus. [those that `loadModel` reads] */
    readonly files?: Files;
    readonly signal?: AbortSignal;
  };

/** What a training will be. */
export interface TrainingForecast {
  readonly corpus: {
    /** `English to Spanish, from Unicode CLDR`, or the file name. */
    readonly name: string;
    /** Numbers of pairs: for training, dev and test, and of those left out (a side is too long or empty). */
    readonly train: number;
    readonly dev: number;
    readonly test: number;
    readonly leftOut: number;
    /** Messages of the reader, for example about lines that are not pairs. */
    readonly messages: readonly string[];
    /** Numbers of tokens of the sides of each training pair. */
    readonly sourceLengths: readonly number[];
    readonly targetLengths: readonly number[];
    readonly sourceVocabulary: number;
    readonly targetVocabulary: number;
    /** A few training pairs. */
    readonly examples: readonly Pair[];
  };
  readonly config: ModelConfig;
  readonly parameters: number;
  /** Batch shapes as `64x16x20`: sentences, source length, target length. */
  readonly shapes: readonly string[];
  /** Number of updates: total and per epoch. */
  readonly steps: number;
  readonly stepsPerEpoch: number;
  /** GPU memory of the largest plan, in bytes: total; weights, gradients and moments; activations; batches. */
  readonly planned: { readonly peak: number; readonly states: number; readonly slots: number; readonly inputs: number };
  /** Floating-point operations and dispatches of a step with the largest batch shape. */
  readonly flops: number;
  readonly dispatches: number;
  /** Whether the plan fits this device; `why` states what does not fit, with the needed and the available size. */
  readonly fits: boolean;
  readonly why: string;
  /** Name of the adapter, and whether it is a (slow) software adapter. */
  readonly adapter: string;
  readonly software: boolean;
}

/**
 * Plans the training that `train` would start with the same pairs and options: tokenizes the pairs, and plans a step on
 * the device, without running it. Throws a HeddleError as `train` for an option that is wrong; if the training does not
 * fit the device, the result says so.
 * @example
 * const { parameters, steps, planned, fits, why } = await planTraining(pairs, { preset: 'small', batchSize: 64 });
 * console.log(fits ? `${parameters} parameters, ${steps} steps, ${planned.peak} bytes` : why);
 */
export async function planTraining(
  pairs: readonly Pair[] | CorpusArguments,
  { files, signal, device: given, ...options }: PlanTrainingOptions = {},
): Promise<TrainingForecast> {
  const { args, split, base } = await runInputs(pairs, options);
  const messages: string[] = [];
  const emit = (event: JobEvent) => void messages.push(...notesOf(event));
  const { context, close } = openSession(given ? { device: given } : {}, signal);
  try {
    const reader = { ...context, emit, files: files ?? context.files };
    const setup = await setUp(args, reader, undefined, { ...(split && { split }), model: base?.saved });
    const { task, parameters, recipe, examples, dev, test, steps, perEpoch } = setup;
    await new Promise((resolve) => setTimeout(resolve)); // planning takes long: the caller may abort
    signal?.throwIfAborted();
    const { config, corpus, shapes, source, target } = task;
    const device = await context.device();
    const memory = device.traits.software ? currentPlatform().machineMemory : undefined;
    const plan = (shape: (typeof shapes)[number]) =>
      makePlan(trainingGraph(config, parameters, shape, recipe.optimizer, {}), { traits: device.traits });
    const { plans, why } = tryPlans(() => shapes.map(plan), device, memory);
    const largest = plans.reduce<Plan | undefined>((a, b) => (a && a.bytes.peak >= b.bytes.peak ? a : b), undefined);
    const bytes = (field: 'peak' | 'states' | 'slots' | 'inputs') => largest?.bytes[field] ?? 0;
    // Messages about the corpus come before the summary of the setup.
    const summary = messages.findIndex((text) => text.startsWith(`${corpus.count} training pairs, `));
    return {
      corpus: {
        name: corpusName(args.corpus),
        ...{ train: corpus.count, dev: dev.length, test: test.length, leftOut: corpus.tooLong + corpus.empty },
        messages: messages.slice(0, summary).filter((text) => text !== describeLeftOut(corpus)),
        sourceLengths: lengths(corpus, sourceLength),
        targetLengths: lengths(corpus, targetLength),
        sourceVocabulary: source.size,
        targetVocabulary: target.size,
        examples: examples.map(({ source, target }) => ({ source, target })),
      },
      config,
      parameters: parameters.count,
      shapes: shapes.map(shapeName),
      steps,
      stepsPerEpoch: perEpoch,
      planned: { peak: bytes('peak'), states: bytes('states'), slots: bytes('slots'), inputs: bytes('inputs') },
      flops: largest?.flops ?? 0,
      dispatches: largest?.passes.length ?? 0,
      fits: why === '',
      why,
      adapter: adapterName(device.adapter),
      software: device.traits.software,
    };
  } finally {
    await close();
  }
}

/** What an event says about the corpus; its progress is no such thing. */
export const notesOf = (event: JobEvent): string[] =>
  event.type === 'message' || event.type === 'warning' ? [event.text] : [];

const lengths = (corpus: EncodedCorpus, of: (corpus: EncodedCorpus, row: number) => number): number[] =>
  Array.from({ length: corpus.count }, (_, row) => of(corpus, row));

/** Plans, and why they do not fit the device; that is empty if they do. */
function tryPlans(
  make: () => Plan[],
  device: Device,
  memoryLimit: number | undefined,
): { readonly plans: readonly Plan[]; readonly why: string } {
  try {
    const plans = make();
    return { plans, why: whyNotFit(plans, device, memoryLimit) };
  } catch (error) {
    if (!(error instanceof HeddleError)) throw error;
    return { plans: [], why: error.message };
  }
}

function whyNotFit(plans: readonly Plan[], device: Device, memoryLimit = Number.POSITIVE_INFINITY): string {
  const { maxBufferSize } = device.gpu.limits;
  const smaller = 'Use a smaller batch, model or vocabulary.';
  for (const plan of plans) {
    const buffer = plan.buffers.find((b) => b.bytes > maxBufferSize);
    if (buffer)
      return `The training does not fit: buffer ${buffer.name} needs ${formatBytes(buffer.bytes)}, this device allows ${formatBytes(maxBufferSize)}. ${smaller}`;
    if (plan.bytes.peak > memoryLimit)
      return `The training does not fit: it needs ${formatBytes(plan.bytes.peak)} of memory, this device has ${formatBytes(memoryLimit)}. ${smaller}`;
  }
  return '';
}
