// The log of a run: collects its records and makes log.jsonl and report.html from them.

import { version } from '../../../package.json';
import { HeddleError } from '../../core/errors.ts';
import { mfuOf } from '../../engine/gpu/roofs.ts';
import type { Plan } from '../../engine/plan/plan.ts';
import { baseName, existingFolder, type Files, readText } from '../../files/files.ts';
import { type CorpusArguments, corpusFiles } from '../../session/load-corpus.ts';
import type { BatchShape } from '../../text/batches/buckets.ts';
import { unknownShares } from '../../text/batches/encoded-corpus.ts';
import { pathsOf } from '../../text/corpus/pair-files.ts';
import { ignoresCase } from '../../text/metrics/translation-metrics.ts';
import type { CorpusFacts, LogEnd, LogRecord, LogStart, PlanFacts, Sample } from '../report/training-log.ts';
import { formatLog, logName, parseLog } from '../report/training-log.ts';
import { reportName, trainingReport } from '../report/training-report.ts';
import type { CompleteArguments } from '../settings/train-arguments.ts';
import type { StepReport } from '../update/trainer.ts';
import type { TrainingData } from '../update/training-data.ts';

/** Number of updates over which tokens per second are averaged. */
const window = 20;

/** The growing log of a run. */
export type Logbook = ReturnType<typeof createLogbook>;

/** Options of a logbook. */
export interface LogbookOptions {
  readonly onRecord?: ((record: LogRecord) => void) | undefined;
  /**
   * Maximum number of updates in the log. Above it, older ones are thinned out, so that a run of days fits in
   * memory. [no limit]
   */
  readonly maxSteps?: number | undefined;
  /** Returns the peak rate of the adapter in GFLOP/s; undefined if it is unknown. */
  readonly peakGflops?: () => number | undefined;
}

/** Creates a logbook that continues the records `before` with a new start. */
export function createLogbook(
  before: readonly LogRecord[],
  start: Omit<LogStart, 'type' | 'format' | 'version' | 'heddle' | 'time'>,
  { onRecord, maxSteps = Number.POSITIVE_INFINITY, peakGflops = () => undefined }: LogbookOptions = {},
) {
  const time = new Date().toISOString();
  const head: LogStart = { type: 'start', format: 'heddle-log', version: 1, heddle: version, time, ...start };
  let records: LogRecord[] = [...before];
  let updates = records.filter((r) => r.type === 'step').length;
  const add = (record: LogRecord): void => {
    records.push(record);
    onRecord?.(record);
    if (record.type === 'probe') records = withFewProbes(records);
    if (record.type !== 'step' || ++updates <= maxSteps) return;
    records = thinned(records, Math.floor(maxSteps / 2));
    updates = records.filter((r) => r.type === 'step').length;
  };
  add(head);
  const last = [{ tokens: 0, modelFlops: 0, seconds: 0 }];
  return {
    add,
    /** Adds an update; `seconds` is the time in training so far, without evaluations and saving. */
    step(report: StepReport, seconds: number): void {
      const { step, loss, accuracy, learningRate, gradientNorm, lossScale, tokens, modelFlops } = report;
      const { skipped, updateRatio } = report;
      last.push({ tokens, modelFlops, seconds });
      if (last.length > window + 1) last.shift();
      const time = seconds - (last[0]?.seconds ?? 0);
      const sum = (field: 'tokens' | 'modelFlops') =>
        last.slice(1).reduce((n, update) => n + update[field], 0);
      const tokensPerSecond = Math.round(sum('tokens') / time);
      const peak = peakGflops();
      const mfu =
        peak && modelFlops > 0 ? { mfu: Number(mfuOf(sum('modelFlops'), time, peak).toPrecision(4)) } : {};
      // The first update compiles the kernels: the rates of the others start after it.
      if (step === start.step) last.splice(0, last.length, { tokens: 0, modelFlops: 0, seconds });
      add({
        type: 'step',
        step: step + 1,
        loss,
        accuracy,
        learningRate,
        gradientNorm,
        tokens,
        tokensPerSecond,
        ...mfu,
        seconds: Number(seconds.toFixed(4)),
        ...(lossScale > 0 && { lossScale }),
        ...(skipped && { skipped }),
        ...(updateRatio !== undefined && { updateRatio: Number(updateRatio.toPrecision(4)) }),
      });
    },
    /** Returns the current log.jsonl and report.html. */
    files(): Record<string, Uint8Array> {
      const encode = (text: string) => new TextEncoder().encode(text);
      return { [logName]: encode(formatLog(records)), [reportName]: encode(trainingReport(records)) };
    },
  };
}

/** Maximum number of probes in the log. */
const maxProbes = 64;

/**
 * If there are too many probes, drops the one with the closest neighbours, so that the others stay evenly
 * spaced.
 */
function withFewProbes(records: LogRecord[]): LogRecord[] {
  const probes = records.filter((r) => r.type === 'probe');
  if (probes.length <= maxProbes) return records;
  const gap = (i: number) => (probes[i + 1]?.step ?? Number.POSITIVE_INFINITY) - (probes[i - 1]?.step ?? 0);
  let closest = 1;
  for (let i = 2; i < probes.length - 1; i++) if (gap(i) < gap(closest)) closest = i;
  return records.filter((r) => r !== probes[closest]);
}

/**
 * Keeps the last `recent` updates, and of the older ones every 2nd, 4th, 8th, ..., so that about half are
 * left.
 */
function thinned(records: readonly LogRecord[], recent: number): LogRecord[] {
  const steps = records.flatMap((r) => (r.type === 'step' ? [r.step] : []));
  const from = steps.at(-recent) ?? 0;
  const older = steps.filter((step) => step < from);
  let stride = 2;
  while (older.filter((step) => step % stride === 0).length > recent / 2) stride *= 2;
  return records.filter(
    (r) => r.type !== 'step' || r.step >= from || r.step === older[0] || r.step % stride === 0,
  );
}

/**
 * Saves log and report of a failed run in a separate folder, so that its checkpoint does not change. Returns
 * the error with the folder's name added.
 */
export async function saveFailure(
  files: Files,
  out: string,
  logbook: Logbook,
  end: Omit<LogEnd, 'type' | 'time' | 'reason' | 'error'>,
  error: HeddleError,
): Promise<HeddleError> {
  const folder = `${out}.failed`;
  logbook.add({
    type: 'end',
    time: new Date().toISOString(),
    ...end,
    reason: 'failed',
    error: error.message,
  });
  await files.remove(folder);
  for (const [name, bytes] of Object.entries(logbook.files())) await files.write(`${folder}/${name}`, bytes);
  return new HeddleError(`${error.message} Its log and report are in ${folder}.`, { cause: error });
}

/** Reads the log of a folder. Empty if it is missing, or if it is damaged, with a message. */
export async function readLog(
  files: Files,
  folder: string,
  onMessage: (text: string) => void,
): Promise<LogRecord[]> {
  const path = `${await existingFolder(files, folder)}/${logName}`;
  if (!(await files.exists(path))) return [];
  try {
    return parseLog(await readText(files, path), path);
  } catch (error) {
    if (!(error instanceof HeddleError)) throw error;
    onMessage(`${error.message}; the log starts again`);
    return [];
  }
}

/** The translations that the log keeps: the first 200. */
export const keptSamples = (samples: readonly Sample[]): readonly Sample[] => samples.slice(0, 200);

/** Returns the cost of the training plans, one for each shape. */
export function planFacts(plans: readonly Plan[], shapes: readonly BatchShape[]): PlanFacts | undefined {
  const [first, ...others] = plans;
  if (!first) return undefined;
  const largest = others.reduce((a, b) => (b.bytes.peak > a.bytes.peak ? b : a), first);
  return {
    peakBytes: largest.bytes.peak,
    lowerBound: largest.bytes.lowerBound,
    dispatches: largest.passes.length,
    flops: largest.flops,
    modelFlops: largest.modelFlops,
    shapes: shapes.map(shapeName),
  };
}

/** Formats a shape: rows, source and target positions, as `64x16x20`. */
export const shapeName = ({ batch, source, target }: BatchShape): string => `${batch}x${source}x${target}`;

/** Returns the statistics of the corpus. */
export const corpusFacts = (
  { corpus: from }: Pick<CompleteArguments, 'corpus'>,
  { corpus, source, target }: TrainingData,
  { dev, test }: Readonly<Record<'dev' | 'test', { readonly length: number }>>,
): CorpusFacts => ({
  name: corpusName(from),
  pairs: corpus.count,
  skipped: corpus.tooLong + corpus.empty,
  dev: dev.length,
  test: test.length,
  tokenizer: source.kind,
  lowercase: ignoresCase((text) => source.normalize(text)),
  unknown: unknownShares(corpus),
  sourceVocabulary: source.size,
  targetVocabulary: target.size,
  sourceLength: corpus.source.ids.length / corpus.count,
  targetLength: corpus.target.ids.length / corpus.count,
});

/** Returns the name of a corpus: `English to Spanish, from Unicode CLDR`, or its file name. */
export function corpusName(corpus: CorpusArguments): CorpusFacts['name'] {
  if (corpus.kind === 'task') return `built-in task: ${corpus.task}`;
  if (corpus.kind !== 'intl') {
    const [first = '', ...others] = pathsOf(corpusFiles(corpus)?.train ?? {}).map((path) =>
      path === '-' ? 'stdin' : baseName(path),
    );
    return others.length > 2 ? `${first} and ${others.length} more files` : [first, ...others].join(', ');
  }
  const names = new Intl.DisplayNames(['en'], { type: 'language' });
  return `${names.of(corpus.source)} to ${names.of(corpus.target)}, from Unicode CLDR`;
}
