// The log of a run: collects its records and makes log.jsonl and report.html from them.

import { version } from '../../../package.json';
import { HeddleError, reasonOf } from '../../core/errors.ts';
import { type Message, msg } from '../../core/message.ts';
import { mfuOf } from '../../engine/gpu/roofs.ts';
import type { Plan } from '../../engine/plan/plan.ts';
import { type Files, readText } from '../../files/files.ts';
import { writeFolder } from '../../files/owned-folder.ts';
import { settledFolder } from '../../files/settled-folder.ts';
import { verifyFolder } from '../../files/verified-files.ts';
import { type BatchShape, shapeName } from '../../text/batches/buckets.ts';
import { unknownShares } from '../../text/batches/encoded-corpus.ts';
import { type CorpusSplit, type Pair, sampleEvenly } from '../../text/corpus/pairs.ts';
import type { Metric } from '../../text/metrics/metric.ts';
import { ignoresCase } from '../../text/metrics/translation-metrics.ts';
import type { Tokenizer } from '../../text/tokenizers/tokenizer.ts';
import { corpusName } from '../data/load-corpus.ts';
import type { TrainingData } from '../data/training-data.ts';
import { formatChanges } from '../report/run-changes.ts';
import type { TrainingSession } from '../report/training-events.ts';
import type { CorpusFacts, LogEnd, LogRecord, LogStart, PlanFacts, Sample } from '../report/training-log.ts';
import { formatLog, logName, parseLog, reportName } from '../report/training-log.ts';
import type { CompleteArguments } from '../settings/train-arguments.ts';
import type { StepReport, Trainer } from '../update/trainer.ts';
import type { ChangeList } from './live-run.ts';
import type { PreparedRun } from './prepared-run.ts';
import type { CheckpointFolder } from './train-result.ts';

/** What only runs that save need, loaded then. */
const later = { report: () => import('../report/training-report.ts') };

/** Number of updates over which tokens per second are averaged. */
const window = 20;

/** Options of a logbook. */
export interface LogbookOptions {
  readonly onRecord?: (record: LogRecord) => void;
  /**
   * Maximum number of updates in the log. Above it, older ones are thinned out, so that a run of days fits in
   * memory. [no limit]
   */
  readonly maxSteps?: number;
  /** The metrics of evaluations, for the report. [those of the main house] */
  readonly metrics?: readonly Metric[];
  /** Returns the peak rate of the adapter in GFLOP/s; undefined if it is unknown. */
  readonly peakGflops?: () => number | undefined;
}

/** The growing log of a run. */
export class Logbook {
  readonly #options: LogbookOptions;
  readonly #maxSteps: number;
  readonly #firstStep: number;
  #records: LogRecord[];
  /** Number of updates in the records. */
  #updates: number;
  /** The last updates, for rates; the first entry is the state before them. */
  readonly #last = [{ tokens: 0, modelFlops: 0, seconds: 0 }];

  /** Continues the records `before` with a new start. */
  constructor(
    before: readonly LogRecord[],
    start: Omit<LogStart, 'type' | 'format' | 'version' | 'heddle' | 'time'>,
    options: LogbookOptions = {},
  ) {
    const time = new Date().toISOString();
    this.#options = options;
    this.#maxSteps = options.maxSteps ?? Number.POSITIVE_INFINITY;
    this.#firstStep = start.step;
    this.#records = [...before];
    this.#updates = stepsIn(before);
    this.add({ type: 'start', format: 'heddle-log', version: 1, heddle: version, time, ...start });
  }

  /** Opens the log of a run at its first step; it continues the log of a checkpoint. */
  static async open(
    prepared: PreparedRun,
    trainer: Trainer,
    changes: ChangeList,
    { backend, emit, kernels }: TrainingSession,
    options: LogbookOptions,
  ): Promise<Logbook> {
    const { args, checkpoint: from, data, parameters, update, steps, perEpoch } = prepared;
    const { init, gradientAccumulationSteps, optimizer, schedule } = update;
    const onMessage = (text: Message) => emit({ type: 'message', text });
    if (from)
      for (const own of [logName, reportName])
        await verifyFolder(from.files, from.folder, (name) => name === own).catch((error) =>
          emit({ type: 'warning', text: msg`${reasonOf(error)}. The next checkpoint replaces it` }),
        );
    const before = from ? await readLog(from.files, from.folder, onMessage) : [];
    const start = {
      step: trainer.step,
      steps,
      stepsPerEpoch: perEpoch,
      backend,
      seed: args.seed,
      parameters: parameters.count,
      preset: args.preset,
      config: { ...data.config },
      recipe: { init, gradientAccumulationSteps, optimizer, schedule },
      corpus: corpusFacts(args, data, prepared),
      plan: planFacts(trainer.trainingPlans, data.batches.shapes),
      droppedKernels: kernels.dropped.size > 0 ? Object.fromEntries(kernels.dropped) : undefined,
      arguments: args,
    };
    const logbook = new Logbook(before, start, options);
    const logged = new Set(before.flatMap((r) => (r.type === 'change' ? [formatChanges([r])] : [])));
    for (const change of changes.upTo(trainer.step))
      if (!logged.has(formatChanges([change]))) logbook.add({ type: 'change', ...change });
    return logbook;
  }

  add(record: LogRecord): void {
    this.#records.push(record);
    this.#options.onRecord?.(record);
    if (record.type === 'probe') this.#records = withFewProbes(this.#records);
    if (record.type !== 'step' || ++this.#updates <= this.#maxSteps) return;
    this.#records = thinned(this.#records, Math.floor(this.#maxSteps / 2));
    this.#updates = stepsIn(this.#records);
  }

  /** Adds an update; `seconds` is the time in training so far, without evaluations and saving. */
  step(report: StepReport, seconds: number): void {
    const { step, loss, accuracy, learningRate, gradientNorm, lossScale, tokens, modelFlops } = report;
    const { skipped, updateRatio, lossParts } = report;
    const last = this.#last;
    last.push({ tokens, modelFlops, seconds });
    if (last.length > window + 1) last.shift();
    const time = seconds - (last[0]?.seconds ?? 0);
    const sum = (field: 'tokens' | 'modelFlops') => last.slice(1).reduce((n, update) => n + update[field], 0);
    const peak = this.#options.peakGflops?.();
    const mfu = peak && modelFlops > 0 ? mfuOf(sum('modelFlops'), time, peak) : undefined;
    const tokensPerSecond = Math.round(sum('tokens') / time);
    // The first update compiles the kernels: the rates of the others start after it.
    if (step === this.#firstStep) last.splice(0, last.length, { tokens: 0, modelFlops: 0, seconds });
    this.add({
      type: 'step',
      step: step + 1,
      loss,
      accuracy,
      learningRate,
      gradientNorm,
      tokens,
      tokensPerSecond,
      mfu: rounded(mfu),
      seconds: Number(seconds.toFixed(4)),
      lossScale: lossScale > 0 ? lossScale : undefined,
      skipped: skipped || undefined,
      updateRatio: rounded(updateRatio),
      lossParts:
        lossParts &&
        Object.fromEntries(
          Object.entries(lossParts).map(([name, value]) => [name, rounded(value) as number]),
        ),
    });
  }

  /** Returns the current log.jsonl and report.html. */
  async files(): Promise<Record<string, Uint8Array>> {
    const encode = (text: string) => new TextEncoder().encode(text);
    const records = this.#records;
    const { trainingReport } = await later.report();
    return {
      [logName]: encode(formatLog(records)),
      [reportName]: encode(trainingReport(records, this.#options.metrics)),
    };
  }

  /**
   * Saves log and report of a failed run in a separate folder, so that its checkpoint does not change. Returns
   * the error with the folder's name added, or why they are not saved.
   */
  async saveFailure(
    { files, folder: out }: CheckpointFolder,
    end: Pick<LogEnd, 'step' | 'skipped'>,
    error: HeddleError,
  ): Promise<HeddleError> {
    const folder = failedFolder(out);
    let message = msg`${error.template} (its log and report are in ${folder})`;
    const time = new Date().toISOString();
    this.add({ type: 'end', time, ...end, reason: 'failed', error: error.message });
    try {
      await this.save({ files, folder });
    } catch (failure) {
      if (!(failure instanceof HeddleError)) throw failure;
      if (failure.kind === 'quota') return error; // the disk is full
      message = msg`${error.template} (its log and report were not saved: ${reasonOf(failure)})`;
    }
    return new HeddleError(message, { kind: error.kind, area: error.area, cause: error });
  }

  /** Writes log and report into a folder, beside its other files. */
  async save({ files, folder }: CheckpointFolder): Promise<void> {
    await writeFolder(files, folder, await this.files(), { beside: true, update: true });
  }
}

/** The folder that keeps what a failed run leaves. `out`: its model folder. */
export const failedFolder = (out: string): string => `${out}.failed`;

/** Number of updates in records. */
const stepsIn = (records: readonly LogRecord[]): number =>
  records.reduce((n, { type }) => (type === 'step' ? n + 1 : n), 0);

/** A number with four significant digits. */
const rounded = (x: number | undefined): number | undefined =>
  x === undefined ? undefined : Number(x.toPrecision(4));

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

/** Reads the log of a folder. Empty if it is missing, or if it is damaged, with a message. */
export async function readLog(
  files: Files,
  folder: string,
  onMessage: (text: Message) => void,
): Promise<LogRecord[]> {
  const path = `${await settledFolder(files, folder)}/${logName}`;
  if (!(await files.exists(path))) return [];
  try {
    return parseLog(await readText(files, path), path);
  } catch (error) {
    if (!(error instanceof HeddleError)) throw error;
    onMessage(msg`${reasonOf(error)}; the log starts again`);
    return [];
  }
}

/** The translations that the log keeps: the first 200. */
export const keptSamples = (samples: readonly Sample[]): readonly Sample[] => samples.slice(0, 200);

/** Returns the cost of the training plans, one for each shape. */
function planFacts(plans: readonly Plan[], shapes: readonly BatchShape[]): PlanFacts | undefined {
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

/** Returns the statistics of the corpus. */
export const corpusFacts = (
  { corpus: from }: Pick<CompleteArguments, 'corpus'>,
  { corpus, source, target }: TrainingData,
  { dev, test }: Pick<CorpusSplit, 'dev' | 'test'>,
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
  devCharactersPerToken: charactersPerToken(sampleEvenly(dev, 1000), target),
});

/** Mean number of characters of a target token, the end token included; undefined without pairs. */
function charactersPerToken(pairs: readonly Pair[], tokenizer: Tokenizer): number | undefined {
  let [characters, tokens] = [0, 0];
  for (const { target } of pairs) {
    characters += Array.from(target).length;
    tokens += tokenizer.encode(target).length + 1;
  }
  return tokens > 0 ? characters / tokens : undefined;
}
