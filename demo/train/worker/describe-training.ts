// Plans a training without starting it: statistics of the corpus, size of the model, and whether it fits the device.

import { formatBytes } from '../../../src/core/format-numbers.ts';
import { type CorpusArguments, type Device, HeddleError, type JobEvent, memoryFiles } from '../../../src/index.ts';
import { adapterName, makePlan, openDevice, type Plan } from '../../../src/low-level.ts';
import { neededLimits } from '../../../src/runtime/job-context.ts';
import {
  describeLeftOut,
  type EncodedCorpus,
  sourceLength,
  targetLength,
} from '../../../src/text/batches/encoded-corpus.ts';
import { decodeUtf8, parseCsv } from '../../../src/text/corpus/pair-files.ts';
import { taskSizes } from '../../../src/text/tasks/task-corpus.ts';
import { corpusName, shapeName } from '../../../src/train/logging.ts';
import { setUp } from '../../../src/train/setup.ts';
import { trainingGraph } from '../../../src/trainer/training-graphs.ts';
import type { CorpusChoice, LengthStatistics, TrainingPreview, TrainingSettings } from '../protocol.ts';

/** Maximum number of bins of a length histogram; the last one counts all longer sides. */
const maxBins = 64;
const exampleCount = 6;

/** Maximum number of generated pairs for a preview: it must answer at once, whatever the size of the corpus. */
const maxSampled = 4000;

/** Returns a corpus as a TSV file; the columns of a CSV file are those named source and target, or the first two. */
export async function corpusBytes({ name, data }: Extract<CorpusChoice, { kind: 'text' }>): Promise<Uint8Array> {
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
  if (!/\.csv$/i.test(name)) return bytes;
  const rows = await parseCsv(decodeUtf8(bytes, name).replace(/^\ufeff/, ''), name);
  const head = (rows[0] ?? []).map((cell) => cell.trim().toLowerCase());
  const [from, to] = [head.indexOf('source'), head.indexOf('target')];
  const named = from >= 0 && to >= 0;
  const line = (cell = '') => cell.replace(/\s+/g, ' ').trim();
  const pairs = (named ? rows.slice(1) : rows).map((row) => [line(row[named ? from : 0]), line(row[named ? to : 1])]);
  return new TextEncoder().encode(pairs.map((pair) => `${pair.join('\t')}\n`).join(''));
}

/** Returns the corpus argument of `train`; a text is found in the files under its name, and stored with the model. */
export const corpusArguments = (corpus: CorpusChoice): CorpusArguments =>
  corpus.kind !== 'text' ? corpus : { kind: 'tsv', path: corpus.name, keep: true };

/**
 * Plans a training. Throws a HeddleError for invalid settings; if it does not fit the device, the result says so.
 * `machineMemory`: bytes of main memory, the limit of a software adapter.
 */
export async function describeTraining(
  { corpus: chosen, settings }: TrainingSettings,
  signal: AbortSignal,
  machineMemory: number | undefined,
): Promise<TrainingPreview> {
  const files = memoryFiles();
  const size = chosen.kind === 'task' ? taskSizes[chosen.task] : undefined;
  const choice = chosen.kind === 'task' && size ? { ...chosen, pairs: Math.min(size, chosen.pairs) } : chosen;
  if (choice.kind === 'text') await files.write(choice.name, await corpusBytes(choice));
  await yieldToMessages();
  signal.throwIfAborted();
  const messages: string[] = [];
  const emit = (event: JobEvent) => void messages.push(...notesOf(event));
  const sampled = choice.kind !== 'text' && choice.pairs > maxSampled ? maxSampled : 0;
  const scale = choice.kind !== 'text' && sampled ? choice.pairs / sampled : 1;
  const scaled = (n: number) => Math.round(n * scale);
  const from = choice.kind !== 'text' && sampled ? { ...choice, pairs: sampled } : choice;
  const args = { ...settings, corpus: corpusArguments(from), out: '' };
  const { dev, test, data, examples, task, parameters, recipe, ...length } = await setUp(
    args,
    { files, emit },
    undefined,
  );
  const perEpoch = scaled(length.perEpoch);
  const steps = settings.epochs === undefined ? length.steps : scaled(length.steps);
  await yieldToMessages();
  signal.throwIfAborted();
  const { config, corpus, shapes } = task;
  // Messages about the corpus come before the summary of the setup.
  const summary = messages.findIndex((text) => text.startsWith(`${corpus.count} training pairs, `));
  const badLines = messages.slice(0, summary).filter((text) => text !== describeLeftOut(corpus));
  const device = await openDevice(navigator.gpu, { require: neededLimits });
  const software = device.gpu.adapterInfo.isFallbackAdapter;
  const plans: Plan[] = [];
  let why = '';
  try {
    for (const shape of shapes)
      plans.push(makePlan(trainingGraph(config, parameters, shape, recipe.optimizer, {}), { traits: device.traits }));
    why = whyNotFit(plans, device, software ? machineMemory : undefined);
  } catch (error) {
    if (!(error instanceof HeddleError)) throw error;
    why = error.message;
  } finally {
    device.destroy();
  }
  const largest = plans.reduce<Plan | undefined>((a, b) => (a && a.bytes.peak >= b.bytes.peak ? a : b), undefined);
  const pick = (field: 'peak' | 'states' | 'slots' | 'inputs') => largest?.bytes[field] ?? 0;
  return {
    corpus: {
      name: corpusName(args.corpus),
      sampled,
      pairs: choice.kind !== 'text' && sampled ? choice.pairs : data.pairs + dev.length + test.length,
      train: scaled(corpus.count),
      dev: scaled(dev.length),
      test: scaled(test.length),
      leftOut: scaled(corpus.tooLong + corpus.empty),
      badLines: badLines.join(' '),
      sourceLength: lengths(corpus, sourceLength),
      targetLength: lengths(corpus, targetLength),
      sourceVocabulary: task.source.size,
      targetVocabulary: task.target.size,
      examples: examples.slice(0, exampleCount).map(({ source, target }) => ({ source, target })),
    },
    config,
    parameters: parameters.count,
    shapes: shapes.map(shapeName),
    steps,
    stepsPerEpoch: perEpoch,
    planned: { peak: pick('peak'), states: pick('states'), slots: pick('slots'), inputs: pick('inputs') },
    flops: largest?.flops ?? 0,
    dispatches: largest?.passes.length ?? 0,
    fits: why === '',
    why,
    adapter: adapterName(device.adapter),
    software,
  };
}

/** What an event says about the corpus; its progress is no such thing. */
export const notesOf = (event: JobEvent): string[] =>
  event.type === 'message' || event.type === 'warning' ? [event.text] : [];

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
