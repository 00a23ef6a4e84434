// Plans a training without running it: its data, model, steps and memory.

import { checkSignal, HeddleError } from '../core/errors.ts';
import { adapterName } from '../core/host-name.ts';
import { untilAborted } from '../core/until-aborted.ts';
import type { Plan } from '../engine/plan/plan.ts';
import { makePlan } from '../engine/plan/planner.ts';
import type { Files } from '../files/files.ts';
import { loraConfig } from '../model/lora.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { storedParameters } from '../model/quantized-parameters.ts';
import { type Features, noFeatures } from '../session/feature-table.ts';
import { currentHost } from '../session/host.ts';
import { Session, type SessionOptions } from '../session/session.ts';
import { shapeName } from '../text/batches/buckets.ts';
import {
  describeSkipped,
  type EncodedCorpus,
  sourceLength,
  targetLength,
} from '../text/batches/encoded-corpus.ts';
import type { Pair } from '../text/corpus/pairs.ts';
import { corpusName } from '../train/data/load-corpus.ts';
import type { JobEvent } from '../train/report/training-events.ts';
import { furtherLoss } from '../train/run/further-loss.ts';
import { describeSetup, type Setup, setUp } from '../train/run/setup.ts';
import { initFolder } from '../train/settings/run-defaults.ts';
import type { TrainSettings } from '../train/settings/train-settings.ts';
import { trainingGraph } from '../train/update/training-graphs.ts';
import { type GivenPairs, givenInputs } from './given-inputs.ts';
import { runInputs, type TrainData, type TrainOptions } from './train.ts';
import { memoryBeside, whyNotFit } from './training-memory.ts';

/** Options of `train` that have no effect on a plan. */
const runOptions = [
  'checkpoint',
  'force',
  'gate',
  'maxLogSteps',
  'maxSubmissionMs',
  'onStep',
  'resume',
  'snapshots',
  'tune',
] as const;

/**
 * Options of `planTraining`: the options of `train` that determine data, model and memory. The others may be there and
 * are ignored.
 */
export type PlanTrainingOptions = TrainData &
  Pick<SessionOptions, 'device'> &
  Pick<TrainOptions, (typeof runOptions)[number]> & {
    /**
     * Maximum bytes of GPU and JavaScript memory together. [the memory of the host for a software adapter, else
     * no limit]
     */
    readonly memoryBudget?: number;
    /** Files with the corpus. [the files of the host] */
    readonly files?: Files;
    /** Callback for progress, such as that of reading a large file, and for messages. */
    readonly onEvent?: (event: JobEvent) => void;
    /** Stops the call, which rejects with the signal's reason: an AbortError. */
    readonly signal?: AbortSignal;
  };

/** Settings that need less memory. */
export interface MemoryOffer {
  /** Settings to change. */
  readonly settings: Pick<
    TrainSettings,
    'batchSize' | 'gradientCheckpointing' | 'lora' | 'weights' | 'maxLength'
  >;
  /** Bytes of GPU and JavaScript memory with them. */
  readonly bytes: number;
}

/** Data, model, steps and memory of a training run. */
export interface TrainingForecast {
  readonly corpus: {
    /** `English to Spanish, from Unicode CLDR`, or the file name. */
    readonly name: string;
    /** Numbers of pairs: for training, dev and test, and omitted (a side is too long or empty). */
    readonly train: number;
    readonly dev: number;
    readonly test: number;
    readonly skipped: number;
    /** Messages of the reader, for example about invalid lines. */
    readonly messages: readonly string[];
    /** Number of tokens of each side of each training pair. */
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
  /**
   * GPU memory of the largest plan, in bytes: total; weights, gradients and moments; activations; batches.
   */
  readonly planned: {
    readonly peak: number;
    readonly states: number;
    readonly slots: number;
    readonly inputs: number;
    /** Bytes of other GPU buffers: of smaller shapes, and those that weights and results are read through. */
    readonly staging: number;
    /**
     * Bytes of JavaScript memory: the weights, which are there when they are initialized or saved, batches and
     * results that are copied to and from the device, and the token ids of the pairs.
     */
    readonly javascript: number;
  };
  /** Floating-point operations and dispatches of a step with the largest batch shape. */
  readonly flops: number;
  readonly dispatches: number;
  /**
   * Whether the plan fits the device; if not, `reason` says why: the needed and the available size, or
   * another error.
   */
  readonly fits: boolean;
  readonly reason: string;
  /** Settings that fit `memoryBudget`, if the training does not: absent if it fits, or if none was found. */
  readonly offer?: MemoryOffer;
  /** Name of the adapter, and whether it is a software adapter, which is slow. */
  readonly adapter: string;
  readonly software: boolean;
}

/** `planTraining` of the library, with the guests that the caller has. */
export async function planTraining(
  pairs: GivenPairs,
  options: PlanTrainingOptions = {},
  features: Features = noFeatures,
): Promise<TrainingForecast> {
  checkSignal(options.signal);
  const others = { ...options };
  for (const name of runOptions) delete others[name];
  try {
    return await untilAborted(options.signal, async () => {
      const planned = await forecast(pairs, others, features);
      if (planned.fits || options.memoryBudget === undefined) return planned;
      return { ...planned, offer: await offerFor(pairs, others, features) };
    });
  } catch (error) {
    if (!(error instanceof HeddleError && error.area === 'train')) throw error;
    throw new HeddleError(error.template, { kind: error.kind, area: 'planTraining', cause: error });
  }
}

/** Shorter sequences are offered down to this maximum length. */
const shortest = 16;

/**
 * Changes of settings that save memory, those that change a training least first: more compute, smaller batches, for a
 * model that is fine-tuned a LoRA adapter on int8 or int4 weights, then shorter sequences.
 */
function changesOf(options: PlanTrainingOptions): MemoryOffer['settings'][] {
  const { batchSize = 64, maxTokens } = options;
  const halves = maxTokens === undefined ? [1, 2, 4, 8, 16, 32].filter((half) => half <= batchSize) : [1];
  const batches = halves.map((half): MemoryOffer['settings'] => ({
    gradientCheckpointing: true,
    batchSize: half === 1 ? options.batchSize : Math.floor(batchSize / half),
  }));
  const [first = {}, last = first] = [batches[0], batches.at(-1)];
  const { from, init } = options;
  const isScheme = typeof init === 'string' && initFolder({ init }) === undefined;
  const isTuned = from !== undefined || (init !== undefined && !isScheme);
  const adapters =
    isTuned && !options.lora
      ? (['int8', 'int4'] as const).flatMap((weights) =>
          [first, last].map((batch) => ({ ...batch, lora: { rank: 8 }, weights })),
        )
      : [];
  const smallest = adapters.at(-1) ?? last;
  const lengths: MemoryOffer['settings'][] = [];
  for (let maxLength = (options.maxLength ?? 128) / 2; maxLength >= shortest; maxLength /= 2)
    lengths.push({ ...smallest, maxLength: Math.floor(maxLength) });
  return [...batches, ...adapters, ...lengths];
}

/** The first of some changes of settings with which a training fits. */
async function offerFor(
  pairs: GivenPairs,
  options: PlanTrainingOptions,
  features: Features,
): Promise<MemoryOffer | undefined> {
  for (const settings of changesOf(options)) {
    const { fits, planned } = await forecast(pairs, { ...options, ...settings }, features);
    if (fits) return { settings, bytes: planned.peak + planned.staging + planned.javascript };
  }
  return undefined;
}

async function forecast(
  given: GivenPairs,
  { files: base, signal, device, memoryBudget, from, onEvent, ...options }: PlanTrainingOptions,
  features: Features,
): Promise<TrainingForecast> {
  const messages: string[] = [];
  const emit = (event: JobEvent): void => {
    messages.push(...notesOf(event));
    onEvent?.(event);
  };
  const { pairs, settings, files, ...sets } = await givenInputs(given, options, {
    features,
    files: base,
    signal,
    onEvent: emit,
  });
  const { args, split, clips, base: model } = await runInputs(pairs, { ...settings, ...sets, from });
  const host = currentHost();
  const session = new Session(host, { device, signal, files, features, onEvent: emit });
  try {
    const setup = await setUp(args, session, undefined, { split, clips, model: model?.saved });
    const { data, parameters, recipe, steps, perEpoch } = setup;
    const { config, corpus, shapes } = data;
    const device = await session.device.open();
    const memory = memoryBudget ?? (device.traits.software ? host.memory : undefined);
    const ids = corpus.count * 4 * (corpus.count === 0 ? 0 : meanLength(corpus));
    const { precision, noFuse, gradientCheckpointing, quantizeBits, freeze, weights, weightsExclude } =
      setup.args;
    const lora = setup.args.lora && loraConfig(setup.args.lora);
    const addLoss = await furtherLoss(setup.args);
    const graphOptions = { precision, noFuse, gradientCheckpointing, quantizeBits, freeze, lora, addLoss };
    const stored =
      (weights ?? 'f32') === 'f32'
        ? parameters
        : storedParameters(config, { weights, weightsExclude }, parameters.source);
    const plan = (shape: (typeof shapes)[number]) =>
      makePlan(trainingGraph(config, stored, shape, recipe.optimizer, graphOptions), {
        traits: device.traits,
      });
    const plans: Plan[] = [];
    let reason: string;
    const besidePlans = () => memoryBeside(plans, parameters.count, ids);
    try {
      for (const shape of shapes) {
        await new Promise((resolve) => setTimeout(resolve)); // planning takes long; this lets the caller abort
        signal?.throwIfAborted();
        plans.push(plan(shape));
      }
      reason = whyNotFit(plans, device, memory, memoryBudget === undefined ? undefined : besidePlans());
    } catch (error) {
      if (!(error instanceof HeddleError)) throw error;
      reason = error.message;
    }
    const largest = plans.reduce<Plan | undefined>(
      (a, b) => (a && a.bytes.peak >= b.bytes.peak ? a : b),
      undefined,
    );
    const { peak = 0, states = 0, slots = 0, inputs = 0 } = largest?.bytes ?? {};
    const beside = largest ? besidePlans() : nothingBeside;
    return {
      corpus: corpusForecast(setup, messages),
      config,
      parameters: parameters.count,
      shapes: shapes.map(shapeName),
      steps,
      stepsPerEpoch: perEpoch,
      planned: { peak, states, slots, inputs, ...beside },
      flops: largest?.flops ?? 0,
      dispatches: largest?.passes.length ?? 0,
      fits: reason === '',
      reason,
      adapter: adapterName(device.adapter),
      software: device.traits.software,
    };
  } finally {
    await session.close();
  }
}

/** The corpus of a run. `messages`: all of its setup, those about the corpus first, then the line of its sizes. */
function corpusForecast(setup: Setup, messages: readonly string[]): TrainingForecast['corpus'] {
  const { args, data, examples, dev, test } = setup;
  const { corpus, source, target } = data;
  return {
    name: corpusName(args.corpus),
    train: corpus.count,
    dev: dev.length,
    test: test.length,
    skipped: corpus.tooLong + corpus.empty,
    messages: messages
      .slice(0, messages.indexOf(describeSetup(setup)))
      .filter((text) => text !== describeSkipped(corpus)),
    sourceLengths: lengths(corpus, sourceLength),
    targetLengths: lengths(corpus, targetLength),
    sourceVocabulary: source.size,
    targetVocabulary: target.size,
    examples: examples.map(({ source, target }) => ({ source, target })),
  };
}

/** Returns the text of a message or warning; nothing for other events. */
export const notesOf = (event: JobEvent): string[] =>
  event.type === 'message' || event.type === 'warning' ? [event.text] : [];

/** The memory beside a plan if no shape could be planned. */
const nothingBeside = { staging: 0, javascript: 0 };

/** Mean number of tokens of a pair. */
function meanLength(corpus: EncodedCorpus): number {
  let sum = 0;
  for (let row = 0; row < corpus.count; row++) sum += sourceLength(corpus, row) + targetLength(corpus, row);
  return sum / corpus.count;
}

const lengths = (corpus: EncodedCorpus, lengthOf: (corpus: EncodedCorpus, row: number) => number): number[] =>
  Array.from({ length: corpus.count }, (_, row) => lengthOf(corpus, row));
