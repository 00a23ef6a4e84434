// Plans a training without starting it: statistics of the corpus, size of the model, and whether it fits the
// device.

import { msg } from '../../../src/core/message.ts';
import type { CorpusArguments } from '../../../src/entries/data.ts';
import { corpusToTsv, taskSizes } from '../../../src/entries/data.ts';
import { HeddleError, type JobEvent, planTraining } from '../../../src/entries/heddle.ts';
import { memoryFiles, platformBudget } from '../../../src/entries/host.ts';
import { isCsv } from '../corpus-format.ts';
import type { CorpusChoice, LengthStatistics, TrainingPreview, TrainingSettings } from '../protocol.ts';

/** Maximum number of bins of a length histogram; the last one counts all longer sides. */
const maxBins = 64;
const exampleCount = 6;

/** Maximum number of generated pairs for a preview: it must be fast for a corpus of any size. */
const maxSampled = 4000;

/** Returns a corpus as a TSV file; CSV, TMX, XLIFF, PO and MO are converted. */
export async function corpusBytes({
  name,
  data,
}: Extract<CorpusChoice, { kind: 'text' }>): Promise<Uint8Array> {
  const bytes = await bytesOf(data, name);
  return corpusToTsv(bytes, name, isCsv(name, new TextDecoder().decode(bytes.subarray(0, 2 ** 18))));
}

/** The bytes of a text. Throws a HeddleError if a file has changed or is gone since it was selected. */
async function bytesOf(data: Blob | Uint8Array | string, name: string): Promise<Uint8Array> {
  if (typeof data === 'string') return new TextEncoder().encode(data);
  if (!(data instanceof Blob)) return data;
  try {
    return new Uint8Array(await data.arrayBuffer());
  } catch (error) {
    throw new HeddleError(msg`${name} could not be read; select it again: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/**
 * Returns the corpus argument of `train`; a text is found in the files under its name, and stored with the
 * model.
 */
export const corpusArguments = (corpus: CorpusChoice): CorpusArguments =>
  corpus.kind !== 'text' ? corpus : { kind: 'tsv', path: corpus.name, keep: true, devOnly: true };

/**
 * Plans a training; `onEvent` receives its progress. Throws a HeddleError for invalid settings; if it does not fit
 * the device, the result says so.
 */
export async function describeTraining(
  { corpus: chosen, settings, memoryBudget = platformBudget() }: TrainingSettings,
  signal: AbortSignal,
  onEvent: (event: JobEvent) => void,
): Promise<TrainingPreview> {
  const files = memoryFiles();
  const size = chosen.kind === 'task' ? taskSizes[chosen.task] : undefined;
  const choice = chosen.kind === 'task' && size ? { ...chosen, pairs: Math.min(size, chosen.pairs) } : chosen;
  if (choice.kind === 'text') await files.write(choice.name, await corpusBytes(choice));
  await yieldToMessages();
  signal.throwIfAborted();
  const sampled = choice.kind !== 'text' && choice.pairs > maxSampled ? maxSampled : 0;
  const scale = choice.kind !== 'text' && sampled ? choice.pairs / sampled : 1;
  const scaled = (n: number) => Math.round(n * scale);
  const from = choice.kind !== 'text' && sampled ? { ...choice, pairs: sampled } : choice;
  const { corpus, ...forecast } = await planTraining(corpusArguments(from), {
    ...settings,
    files,
    signal,
    memoryBudget,
    onEvent,
  });
  const { messages, sourceLengths, targetLengths, examples, train, dev, test, skipped, ...facts } = corpus;
  return {
    ...forecast,
    corpus: {
      ...facts,
      sampled,
      pairs: choice.kind !== 'text' && sampled ? choice.pairs : train + dev + test + skipped,
      train: scaled(train),
      dev: scaled(dev),
      test: scaled(test),
      skipped: scaled(skipped),
      badLines: messages.join(' '),
      sourceLength: statisticsOf(sourceLengths),
      targetLength: statisticsOf(targetLengths),
      examples: examples.slice(0, exampleCount),
    },
    steps: settings.epochs === undefined ? forecast.steps : scaled(forecast.steps),
    stepsPerEpoch: scaled(forecast.stepsPerEpoch),
  };
}

/** Yields to the event loop, so that a cancel message is received. */
const yieldToMessages = () => new Promise((resolve) => setTimeout(resolve));

function statisticsOf(lengths: readonly number[]): LengthStatistics {
  const histogram: number[] = [];
  let [sum, longest] = [0, 0];
  for (const length of lengths) {
    sum += length;
    longest = Math.max(longest, length);
    const bin = Math.min(length, maxBins - 1);
    histogram[bin] = (histogram[bin] ?? 0) + 1;
  }
  return { mean: sum / lengths.length, longest, histogram: Array.from(histogram, (n) => n ?? 0) };
}
