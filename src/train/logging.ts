// The logbook of a training: collects the records of its log, and gives log and report as files of the model folder.

import { version } from '../../package.json';
import { HeddleError } from '../core/errors.ts';
import { existingFolder, type Files, readText } from '../files/files.ts';
import type { Plan } from '../plan/plan.ts';
import {
  type CorpusFacts,
  formatLog,
  type LogEnd,
  type LogRecord,
  type LogStart,
  logName,
  type PlanFacts,
  parseLog,
  type Sample,
} from '../report/training-log.ts';
import { reportName, trainingReport } from '../report/training-report.ts';
import type { CorpusArguments } from '../runtime/load-corpus.ts';
import type { BatchShape } from '../text/batches/buckets.ts';
import type { Split } from '../text/corpus/pairs.ts';
import type { StepReport } from '../trainer/trainer.ts';
import type { TrainingData } from '../trainer/training-data.ts';
import type { CompleteArguments } from './train-arguments.ts';

/** Updates over which the log's tokens a second are taken. */
const window = 20;

/** A training's log as it grows. */
export interface Logbook {
  add(record: LogRecord): void;
  /** Adds an update; `seconds` is the time in training until now, evaluations and saving not counted. */
  step(report: StepReport, seconds: number): void;
  /** log.jsonl and report.html as they are now. */
  files(): Record<string, Uint8Array>;
}

/** Who hears of records, and how many are kept. */
export interface LogbookOptions {
  readonly onRecord?: ((record: LogRecord) => void) | undefined;
  /** Maximum number of updates in the log; beyond it older ones are thinned out, so that a run of days fits in memory. [no limit] */
  readonly maxSteps?: number | undefined;
}

/** A logbook that goes on from the records of a log, with a head of its own. */
export function createLogbook(
  before: readonly LogRecord[],
  start: Omit<LogStart, 'type' | 'format' | 'version' | 'heddle' | 'time'>,
  { onRecord, maxSteps = Number.POSITIVE_INFINITY }: LogbookOptions = {},
): Logbook {
  const time = new Date().toISOString();
  const head: LogStart = { type: 'start', format: 'heddle-log', version: 1, heddle: version, time, ...start };
  let records: LogRecord[] = [...before];
  let updates = records.filter((r) => r.type === 'step').length;
  const add = (record: LogRecord): void => {
    records.push(record);
    onRecord?.(record);
    if (record.type !== 'step' || ++updates <= maxSteps) return;
    records = thinned(records, Math.floor(maxSteps / 2));
    updates = records.filter((r) => r.type === 'step').length;
  };
  add(head);
  const last: { tokens: number; seconds: number }[] = [{ tokens: 0, seconds: 0 }];
  return {
    add,
    step({ step, loss, accuracy, learningRate, gradientNorm, lossScale, tokens, skipped }, seconds) {
      last.push({ tokens, seconds });
      if (last.length > window + 1) last.shift();
      const time = seconds - (last[0]?.seconds ?? 0);
      const came = last.slice(1).reduce((n, update) => n + update.tokens, 0);
      add({
        type: 'step',
        step: step + 1,
        loss,
        accuracy,
        learningRate,
        gradientNorm,
        tokens,
        tokensPerSecond: Math.round(came / time),
        seconds: Number(seconds.toFixed(4)),
        ...(lossScale > 0 && { lossScale }),
        ...(skipped && { skipped }),
      });
    },
    files() {
      const encode = (text: string) => new TextEncoder().encode(text);
      return { [logName]: encode(formatLog(records)), [reportName]: encode(trainingReport(records)) };
    },
  };
}

/** Records with the last `recent` updates, and of those before them every 2nd, 4th, 8th, ..., so that half as many are left. */
function thinned(records: readonly LogRecord[], recent: number): LogRecord[] {
  const steps = records.flatMap((r) => (r.type === 'step' ? [r.step] : []));
  const from = steps.at(-recent) ?? 0;
  const older = steps.filter((step) => step < from);
  let stride = 2;
  while (older.filter((step) => step % stride === 0).length > recent / 2) stride *= 2;
  return records.filter((r) => r.type !== 'step' || r.step >= from || r.step === older[0] || r.step % stride === 0);
}

/**
 * Leaves log and report of a training that failed in a folder beside its own, whose checkpoint stays as it is, and gives the error
 * with that folder's name.
 */
export async function saveFailure(
  files: Files,
  out: string,
  logbook: Logbook,
  end: Omit<LogEnd, 'type' | 'time' | 'reason' | 'error'>,
  error: HeddleError,
): Promise<HeddleError> {
  const folder = `${out}.failed`;
  logbook.add({ type: 'end', time: new Date().toISOString(), ...end, reason: 'failed', error: error.message });
  await files.remove(folder);
  for (const [name, bytes] of Object.entries(logbook.files())) await files.write(`${folder}/${name}`, bytes);
  return new HeddleError(`${error.message} Its log and report are in ${folder}.`, { cause: error });
}

/** The records of a folder's log; none where it has no log, or a broken one, of which `tell` hears. */
export async function readLog(files: Files, folder: string, tell: (text: string) => void): Promise<LogRecord[]> {
  const path = `${await existingFolder(files, folder)}/${logName}`;
  if (!(await files.exists(path))) return [];
  try {
    return parseLog(await readText(files, path), path);
  } catch (error) {
    if (!(error instanceof HeddleError)) throw error;
    tell(`${error.message}; the log starts anew`);
    return [];
  }
}

/** Translations as the log keeps them, the first few hundred. */
export const keptSamples = (samples: readonly Sample[]): readonly Sample[] => samples.slice(0, 200);

/** What plans cost: those of training, one for each shape. */
export function planFacts(plans: readonly Plan[], shapes: readonly BatchShape[]): PlanFacts | undefined {
  const [first, ...others] = plans;
  if (!first) return undefined;
  const largest = others.reduce((a, b) => (b.bytes.peak > a.bytes.peak ? b : a), first);
  return {
    peakBytes: largest.bytes.peak,
    lowerBound: largest.bytes.lowerBound,
    dispatches: largest.passes.length,
    flops: largest.flops,
    shapes: shapes.map(shapeName),
  };
}

/** A batch's rows, source and target positions: `64x16x20`. */
export const shapeName = ({ batch, source, target }: BatchShape): string => `${batch}x${source}x${target}`;

/** What is learnt from, and what became of it. */
export function corpusFacts(
  { corpus: from, tokenizer }: Pick<CompleteArguments, 'corpus' | 'tokenizer'>,
  { corpus, source, target }: TrainingData,
  split: Split,
): CorpusFacts {
  return {
    name: corpusName(from),
    pairs: corpus.count,
    leftOut: corpus.tooLong + corpus.empty,
    dev: split.dev.length,
    test: split.test.length,
    tokenizer,
    sourceVocabulary: source.size,
    targetVocabulary: target.size,
    sourceLength: corpus.source.ids.length / corpus.count,
    targetLength: corpus.target.ids.length / corpus.count,
  };
}

/** A corpus by name: `English to Spanish, from Unicode CLDR`, or its file, without the folders that it is in. */
export function corpusName(corpus: CorpusArguments): CorpusFacts['name'] {
  if (corpus.kind === 'tsv') return corpus.path.replace(/^.*[\\/]/, '');
  const names = new Intl.DisplayNames(['en'], { type: 'language' });
  return `${names.of(corpus.source)} to ${names.of(corpus.target)}, from Unicode CLDR`;
}
