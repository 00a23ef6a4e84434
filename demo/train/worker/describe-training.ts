// Plans a training without starting it: statistics of the corpus, size of the model, and whether it fits the device.

import { HeddleError } from '../../../src/core/errors.ts';
import { formatBytes } from '../../../src/core/format-numbers.ts';
import { memoryFiles } from '../../../src/files/memory-files.ts';
import { adapterName, type Device } from '../../../src/gpu/device.ts';
import { parameterList } from '../../../src/model/parameters.ts';
import type { Plan } from '../../../src/plan/plan.ts';
import { makePlan } from '../../../src/plan/planner.ts';
import type { JobEvent } from '../../../src/runtime/job.ts';
import { readKeptCorpus } from '../../../src/runtime/load-corpus.ts';
import { type EncodedCorpus, sourceLength, targetLength } from '../../../src/text/batches/encoded-corpus.ts';
import { corpusName, shapeName } from '../../../src/train/logging.ts';
import { completeSettings } from '../../../src/train/recipes.ts';
import { dataOptions, optimizerOf } from '../../../src/train/setup.ts';
import type { TrainArguments } from '../../../src/train/train-arguments.ts';
import { optimizerConfig } from '../../../src/trainer/optimizer-config.ts';
import { prepareTrainingData, updatesIn } from '../../../src/trainer/training-data.ts';
import { trainingGraph } from '../../../src/trainer/training-graphs.ts';
import type { LengthStatistics, TrainingPreview, TrainingSettings } from '../protocol.ts';

/** Maximum number of bins of a length histogram; the last one counts all longer sides. */
const maxBins = 64;
const exampleCount = 6;

/** Returns a corpus as UTF-8 bytes. */
export const corpusBytes = (data: Uint8Array | string): Uint8Array =>
  typeof data === 'string' ? new TextEncoder().encode(data) : data;

/** Returns the arguments of a training run for settings of the page. */
export function trainArguments(s: TrainingSettings, out: string): TrainArguments {
  const { corpus, tokenizer, optimizer, schedule } = s;
  const { kind = 'adamw', weightDecay, clipNorm } = optimizer;
  return {
    corpus: corpus.kind === 'intl' ? corpus : { kind: 'tsv', path: corpus.name, keep: true },
    heldOut: s.heldOut,
    preset: s.preset,
    model: s.model,
    tokenizer: tokenizer.kind,
    vocabSize: tokenizer.size,
    ...(tokenizer.lowercase !== undefined && { lowercase: tokenizer.lowercase }),
    ...(tokenizer.fill && { fillVocab: true }),
    batchSize: s.batch,
    buckets: s.buckets,
    gradientAccumulationSteps: s.accumulate,
    ...(s.steps > 0 ? { steps: s.steps } : { epochs: s.epochs }),
    optimizer: kind,
    ...(weightDecay !== undefined && kind !== 'rmsprop' && { weightDecay }),
    ...(clipNorm !== undefined && { clipNorm }),
    schedule: schedule.kind ?? 'constant',
    learningRate: schedule.learningRate,
    ...(schedule.warmupSteps !== undefined && { warmupSteps: schedule.warmupSteps }),
    seed: s.seed,
    evalSteps: s.evalEvery,
    devSentences: s.devSentences,
    testSentences: 0,
    out,
    saveSeconds: s.checkpointSeconds,
  };
}

/** Plans a training. Throws a HeddleError for invalid settings; if it does not fit the device, the result says so. */
export async function describeTraining(
  settings: TrainingSettings,
  device: Device,
  { signal, memoryLimit }: { readonly signal: AbortSignal; readonly memoryLimit: number | undefined },
): Promise<TrainingPreview> {
  const { corpus: source, out: _, ...given } = trainArguments(settings, '');
  const args = completeSettings(given, 'pairs');
  const files = memoryFiles();
  const { corpus: choice } = settings;
  if (choice.kind === 'text') await files.write(choice.name, corpusBytes(choice.data));
  const messages: string[] = [];
  const listen = { files, emit: ({ text }: JobEvent) => void messages.push(text) };
  const { split } = await readKeptCorpus(source, args.heldOut, listen, undefined);
  if (split.train.length === 0) throw new HeddleError('No pairs are left to train on; hold out fewer pairs.');
  await yieldToMessages();
  signal.throwIfAborted();
  const task = prepareTrainingData(split.train, dataOptions(args));
  await yieldToMessages();
  signal.throwIfAborted();
  const { config, corpus, shapes, batches } = task;
  const parameters = parameterList(config);
  const updates = (epochs: number) => updatesIn(epochs, batches.perEpoch, args.gradientAccumulationSteps);
  const plans: Plan[] = [];
  let why = '';
  try {
    for (const shape of shapes)
      plans.push(
        makePlan(trainingGraph(config, parameters, shape, optimizerConfig(optimizerOf(args)), {}), {
          traits: device.traits,
        }),
      );
    why = whyNotFit(plans, device, memoryLimit);
  } catch (error) {
    if (!(error instanceof HeddleError)) throw error;
    why = error.message;
  }
  const largest = plans.reduce<Plan | undefined>((a, b) => (a && a.bytes.peak >= b.bytes.peak ? a : b), undefined);
  const pick = (field: 'peak' | 'states' | 'slots' | 'inputs') => largest?.bytes[field] ?? 0;
  return {
    corpus: {
      name: corpusName(source),
      pairs: split.train.length + split.dev.length + split.test.length,
      train: corpus.count,
      dev: split.dev.length,
      test: split.test.length,
      leftOut: corpus.tooLong + corpus.empty,
      badLines: messages.join(' '),
      sourceLength: lengths(corpus, sourceLength),
      targetLength: lengths(corpus, targetLength),
      sourceVocabulary: task.source.size,
      targetVocabulary: task.target.size,
      examples: split.train.slice(0, exampleCount).map(({ source, target }) => ({ source, target })),
    },
    config,
    parameters: parameters.count,
    shapes: shapes.map(shapeName),
    steps: args.steps ?? updates(args.epochs ?? 1),
    stepsPerEpoch: updates(1),
    planned: { peak: pick('peak'), states: pick('states'), slots: pick('slots'), inputs: pick('inputs') },
    flops: largest?.flops ?? 0,
    dispatches: largest?.passes.length ?? 0,
    fits: why === '',
    why,
    adapter: adapterName(device.adapter),
    software: device.gpu.adapterInfo.isFallbackAdapter,
  };
}

/** Yields to the event loop, so that a cancel message is received. */
const yieldToMessages = () => new Promise((resolve) => setTimeout(resolve));

/** Returns why plans do not fit a device; empty if they fit. */
function whyNotFit(plans: readonly Plan[], device: Device, memoryLimit = Number.POSITIVE_INFINITY): string {
  const { maxBufferSize } = device.gpu.limits;
  for (const plan of plans) {
    const buffer = plan.buffers.find((b) => b.bytes > maxBufferSize);
    if (buffer)
      return `The training does not fit: buffer ${buffer.name} needs ${formatBytes(buffer.bytes)}, this device allows ${formatBytes(maxBufferSize)}. Use a smaller batch, model or vocabulary.`;
    if (plan.bytes.peak > memoryLimit)
      return `The training does not fit: it needs ${formatBytes(plan.bytes.peak)} of memory, this device has ${formatBytes(memoryLimit)}. Use a smaller batch, model or vocabulary.`;
  }
  return '';
}

function lengths(corpus: EncodedCorpus, of: (corpus: EncodedCorpus, row: number) => number): LengthStatistics {
  const histogram: number[] = [];
  let [sum, longest] = [0, 0];
  for (let row = 0; row < corpus.count; row++) {
    const length = of(corpus, row);
    sum += length;
    longest = Math.max(longest, length);
    const bin = Math.min(length, maxBins - 1);
    histogram[bin] = (histogram[bin] ?? 0) + 1;
  }
  return { mean: sum / corpus.count, longest, histogram: Array.from(histogram, (n) => n ?? 0) };
}
