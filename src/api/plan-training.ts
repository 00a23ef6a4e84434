// Plans a training without running it: its data, model, steps and memory.

import { checkSignal, HeddleError } from '../core/errors.ts';
import { adapterName } from '../core/host-name.ts';
import { type Message, renderMessage } from '../core/message.ts';
import { untilAborted } from '../core/until-aborted.ts';
import type { Device } from '../engine/gpu/device.ts';
import type { Files } from '../files/files.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { type Features, noFeatures } from '../session/feature-table.ts';
import { currentHost } from '../session/host.ts';
import { Session, type SessionOptions } from '../session/session.ts';
import { emitTo } from '../session/session-event.ts';
import { shapeName } from '../text/batches/buckets.ts';
import { type EncodedCorpus, sourceLength, targetLength } from '../text/batches/encoded-corpus.ts';
import type { Pair } from '../text/corpus/pairs.ts';
import { corpusName } from '../train/data/load-corpus.ts';
import type { JobEvent } from '../train/report/training-events.ts';
import { type PreparedRun, prepareRun } from '../train/run/prepared-run.ts';
import { type EvaluatedPairs, evaluatedPairs } from '../train/run/run-plans.ts';
import { reportStart } from '../train/run/start-messages.ts';
import { openBase } from '../train/run/start-model.ts';
import { SettingTable } from '../train/settings/train-settings.ts';
import { largestPlan, type TrainingMemory } from '../train/update/training-memory.ts';
import { modelWarnings } from './export-check.ts';
import { type GivenData, givenInputs } from './given-inputs.ts';
import { type MemoryOffer, offerFor } from './memory-offers.ts';
import { limitOf, type MemoryLimits, planOf } from './plan-of-run.ts';
import { runInputs } from './run-inputs.ts';
import type { TrainData, TrainOptions } from './train-options.ts';

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

/** Data, model, steps and memory of a training run. */
export interface TrainingForecast {
  /** The pairs and their tokens. */
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
  /** Configuration of the model. */
  readonly config: ModelConfig;
  /** Number of parameters of the model. */
  readonly parameters: number;
  /** Batch shapes as `64x16x20`: sentences, source length, target length. */
  readonly shapes: readonly string[];
  /** Number of updates. */
  readonly steps: number;
  /** Updates per epoch. */
  readonly stepsPerEpoch: number;
  /** Memory of the training, in bytes. */
  readonly planned: TrainingMemory;
  /** Floating-point operations of a step with the largest batch shape. */
  readonly flops: number;
  /** Dispatches of that step. */
  readonly dispatches: number;
  /** Whether the plan fits the device. */
  readonly fits: boolean;
  /** Why it does not fit: the needed and the available size, or another error; empty if it fits. */
  readonly reason: string;
  /** The reason with its holes, for who shows it in other words. */
  readonly template?: Message;
  /** Settings that fit `memoryBudget`, if the training does not: absent if it fits, or if none was found. */
  readonly offer?: MemoryOffer;
  /** Name of the adapter. */
  readonly adapter: string;
  /** Whether the adapter is a software adapter, which runs on the CPU. */
  readonly software: boolean;
}

/** `planTraining` of the library, with the guests that the caller has. */
export async function planTraining(
  pairs: GivenData,
  options: PlanTrainingOptions = {},
  features: Features = noFeatures,
): Promise<TrainingForecast> {
  checkSignal(options.signal);
  const { files: givenFiles, signal, device: given, memoryBudget, from, onEvent, ...others } = options;
  const settings = { ...others };
  for (const name of runOptions) delete (settings as PlanTrainingOptions)[name];
  try {
    return await untilAborted(signal, async () => {
      const messages: string[] = [];
      const emit = emitTo((event: JobEvent): void => {
        messages.push(...notesOf(event));
        onEvent?.(event);
      });
      const table = new SettingTable(features.settings);
      const { files, ...inputs } = await givenInputs(pairs, settings, table, {
        features,
        files: givenFiles,
        signal,
        onEvent: emit,
      });
      const session = new Session(currentHost(), { device: given, signal, files, features, onEvent: emit });
      try {
        const { dev, test } = inputs;
        const { args, split, sourceData, base } = await runInputs(
          inputs.pairs,
          { ...inputs.settings, dev, test, from },
          features,
        );
        const run = await prepareRun(args, session, undefined, {
          split,
          sourceData,
          model: base?.saved ?? (await openBase(args, session)),
          checkModel: modelWarnings,
        });
        const read = [...messages]; // those of the readers, before those about the run
        reportStart(run, args, session);
        const device = await session.device.open();
        const limits: MemoryLimits = { memoryBudget, memoryLimit: limitOf(device, session), signal };
        const evaluated = await evaluatedPairs(run);
        const forecast = await forecastOf(run, evaluated, read, device, limits);
        if (forecast.fits || memoryBudget === undefined) return forecast;
        return { ...forecast, offer: await offerFor(run, evaluated, args, device, limits, features) };
      } finally {
        await session.close();
      }
    });
  } catch (error) {
    if (!(error instanceof HeddleError && error.area === 'train')) throw error;
    throw new HeddleError(error.template, { kind: error.kind, area: 'planTraining', cause: error });
  }
}

/** No memory: of a training that cannot be planned. */
const noMemory: TrainingMemory = { peak: 0, states: 0, slots: 0, inputs: 0, staging: 0, javascript: 0 };

async function forecastOf(
  run: PreparedRun,
  evaluated: EvaluatedPairs,
  messages: readonly string[],
  device: Device,
  limits: MemoryLimits,
): Promise<TrainingForecast> {
  const { data, parameters, steps, perEpoch } = run;
  const { plans, memory = noMemory, why = '' } = await planOf(run, evaluated, device, limits);
  const largest = largestPlan(plans?.training ?? []);
  return {
    corpus: corpusForecast(run, messages),
    config: data.config,
    parameters: parameters.count,
    shapes: data.batches.shapes.map(shapeName),
    steps,
    stepsPerEpoch: perEpoch,
    planned: memory,
    flops: largest?.flops ?? 0,
    dispatches: largest?.passes.length ?? 0,
    fits: why === '',
    reason: renderMessage(why),
    template: typeof why === 'string' ? undefined : why,
    adapter: adapterName(device.adapter),
    software: device.traits.software,
  };
}

/** The corpus of a run. `messages`: those of the readers. */
function corpusForecast(run: PreparedRun, messages: readonly string[]): TrainingForecast['corpus'] {
  const { args, data, examples, dev, test } = run;
  const { corpus, source, target } = data;
  return {
    name: corpusName(args.corpus),
    train: corpus.count,
    dev: dev.length,
    test: test.length,
    skipped: corpus.tooLong + corpus.empty,
    messages: [...messages, ...run.facts.warnings.map((warning) => renderMessage(warning))],
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

const lengths = (corpus: EncodedCorpus, lengthOf: (corpus: EncodedCorpus, row: number) => number): number[] =>
  Array.from({ length: corpus.count }, (_, row) => lengthOf(corpus, row));
