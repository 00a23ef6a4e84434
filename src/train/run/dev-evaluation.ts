// Evaluation on dev pairs during training: loss and token accuracy, and metrics of translations.

import { counted, listed, type Message, msg, option } from '../../core/message.ts';
import { untilAborted } from '../../core/until-aborted.ts';
import type { TextModel } from '../../decode/translator.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import type { TrainingSource } from '../../session/training-source.ts';
import { batchOf, type RunningStages } from '../../text/batches/batch-source.ts';
import { type Batches, createBatches } from '../../text/batches/batches.ts';
import type { BatchShape, Bucket } from '../../text/batches/buckets.ts';
import {
  describeSkipped,
  describeUnknown,
  type EncodedCorpus,
  sourceLength,
  targetLength,
} from '../../text/batches/encoded-corpus.ts';
import { type PairList, sampleEvenly } from '../../text/corpus/pairs.ts';
import { type Metric, metricValue } from '../../text/metrics/metric.ts';
import type { TokenMetrics } from '../../text/metrics/translation-metrics.ts';
import type { TrainingData } from '../data/training-data.ts';
import type { TrainingSession } from '../report/training-events.ts';
import type { LogEval, Sample } from '../report/training-log.ts';
import type { CompleteArguments } from '../settings/train-arguments.ts';
import type { Recipe } from '../settings/training-recipe.ts';
import type { Trainer } from '../update/trainer.ts';
import type { BestModel } from './best-model.ts';
import { evaluateLoss, type FittingPairs, fittingPairs, TranslationEvaluator } from './evaluation.ts';
import type { LiveRun } from './live-run.ts';
import type { Logbook } from './logbook.ts';
import type { Pause } from './loop.ts';
import type { TrainedModel } from './trained-model.ts';

/**
 * Maximum number of dev pairs whose loss is computed; an evaluation then costs about as much as a few dozen
 * steps.
 */
const maxDevPairs = 1000;

/** The dev pairs whose loss is computed, sampled evenly among those that fit the model. */
export const devPairs = (data: Pick<TrainingData, 'encode'>, pairs: PairList): Promise<FittingPairs> =>
  fittingPairs(data, sampleEvenly(pairs, maxDevPairs));

/** What the evaluations of dev pairs run on an engine. */
export interface DevPrograms {
  /** Shape of batches with pairs that no batch of the training fits; undefined if there are none. */
  readonly longer: BatchShape | undefined;
  /** The rows that are translated, and the maximum tokens of a translation. */
  readonly rows: readonly number[];
  readonly maxTarget: number;
}

/** `shapes`: those of the training; `sentences`: how many pairs are translated. */
export function devPrograms(
  { maxLength }: ModelConfig,
  corpus: EncodedCorpus,
  shapes: readonly BatchShape[],
  sentences: number,
): DevPrograms {
  const rows = sampleEvenly(
    Array.from({ length: corpus.count }, (_, row) => row),
    sentences,
  );
  // Early in training a model may never emit the end token, so stop at twice the longest target.
  const longest = rows.reduce((length, row) => Math.max(length, targetLength(corpus, row)), 1);
  return { longer: longerShape(corpus, shapes), rows, maxTarget: Math.min(maxLength, 2 * longest) };
}

/** Evaluates a model on dev pairs while it trains. */
class DevSet {
  readonly #engine: Engine;
  readonly #trainer: Trainer;
  readonly #model: TextModel;
  readonly #source: TrainingSource;
  readonly #metrics: readonly Metric[];
  readonly #dev: FittingPairs;
  readonly #batches: Batches;
  readonly #programs: DevPrograms;
  #isPrepared = false;
  #translations: TranslationEvaluator | undefined;

  private constructor(
    engine: Engine,
    trainer: Trainer,
    model: TextModel,
    dev: FittingPairs,
    sentences: number,
    source: TrainingSource,
    metrics: readonly Metric[],
  ) {
    this.#source = source;
    this.#metrics = metrics;
    this.#engine = engine;
    this.#trainer = trainer;
    this.#model = model;
    this.#dev = dev;
    this.#programs = devPrograms(model.config, dev.corpus, trainer.shapes, sentences);
    const { longer } = this.#programs;
    const shapes = longer ? [...trainer.shapes, longer] : trainer.shapes;
    this.#batches = createBatches(dev.corpus, shapes, { shuffle: false });
  }

  /**
   * Samples pairs evenly that fit the model; undefined if no pair fits. `sentences`: how many of
   * them are translated.
   */
  static async open(
    engine: Engine,
    trainer: Trainer,
    model: TextModel,
    pairs: PairList,
    sentences: number,
    data: Pick<TrainingData, 'encode' | 'trainingSource'>,
    metrics: readonly Metric[],
  ): Promise<DevSet | undefined> {
    const dev = await devPairs(data, pairs);
    return dev.corpus.count > 0
      ? new DevSet(engine, trainer, model, dev, sentences, data.trainingSource, metrics)
      : undefined;
  }

  /** Prepares the evaluation of pairs that are longer than those of the training. */
  async prepare(): Promise<void> {
    if (this.#isPrepared) return;
    this.#isPrepared = true;
    const { longer } = this.#programs;
    if (longer) await this.#trainer.addEvaluation(longer);
  }

  /** Message about omitted pairs; undefined if there are none. */
  get skipped(): Message | undefined {
    return describeSkipped(this.#dev.corpus);
  }

  /** Message about unknown tokens, and whether there are too many of them. */
  get unknown(): ReturnType<typeof describeUnknown> {
    return describeUnknown(this.#dev.corpus);
  }

  /**
   * Evaluates after `step` updates, while none is pending; undefined if the signal was aborted meanwhile.
   * `samples`: the translations, if there are any.
   */
  async evaluate(
    step: number,
    signal: AbortSignal,
  ): Promise<{ readonly record: LogEval; readonly samples?: readonly Sample[] } | undefined> {
    const begin = performance.now();
    const seconds = () => (performance.now() - begin) / 1000;
    try {
      const loss = await untilAborted(signal, async () => {
        await this.prepare();
        return this.#evaluateLoss(signal);
      });
      const head = { type: 'eval', step, part: 'dev', pairs: this.#dev.corpus.count, ...loss } as const;
      if (this.#programs.rows.length === 0) return { record: { ...head, seconds: seconds() } };
      const { metrics, samples } = await this.#openTranslations().evaluate(signal);
      return { record: { ...head, ...metrics, seconds: seconds() }, samples };
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    }
  }

  #evaluateLoss(signal: AbortSignal): Promise<TokenMetrics> {
    const { corpus } = this.#dev;
    const evaluateBatch = (i: number) =>
      this.#trainer.evaluate(batchOf(this.#batches, corpus, i), corpus.targetSpecial);
    return evaluateLoss(this.#batches, evaluateBatch, { signal });
  }

  #openTranslations(): TranslationEvaluator {
    const { parameters } = this.#trainer;
    const { rows, maxTarget } = this.#programs;
    this.#translations ??= TranslationEvaluator.open(
      { engine: this.#engine, model: this.#model, parameters },
      this.#dev,
      rows,
      maxTarget,
      this.#source,
      this.#metrics,
    );
    return this.#translations;
  }
}

/**
 * The shape of batches with the longest rows of a corpus, if they fit none of the shapes of a training, the largest
 * last: as many rows as have the positions of the largest shape.
 */
function longerShape(corpus: EncodedCorpus, shapes: readonly BatchShape[]): BatchShape | undefined {
  const rows = Array.from({ length: corpus.count }, (_, row) => row);
  const longest = (length: (corpus: EncodedCorpus, row: number) => number) =>
    rows.reduce((most, row) => Math.max(most, length(corpus, row)), 1);
  const [source, target] = [longest(sourceLength), longest(targetLength)];
  const largest = shapes.at(-1);
  if (!largest || (source <= largest.source && target <= largest.target)) return undefined;
  const { limits, sourceRows } = corpus;
  const rounded = (length: number, most: number) => Math.min(most, 4 * Math.ceil(length / 4));
  const longer = {
    source: Math.max(largest.source, rounded(source, limits.source)),
    target: Math.max(largest.target, rounded(target, limits.target)),
  };
  const longerSide = (bucket: Bucket) =>
    Math.max(sourceRows?.positionsOf(bucket.source) ?? bucket.source, bucket.target);
  const positions = largest.batch * longerSide(largest);
  return { ...longer, batch: Math.max(1, Math.floor(positions / longerSide(longer))) };
}

/** What the dev evaluation needs of a run. */
interface EvaluatedRun extends TrainedModel {
  readonly engine: Engine;
  readonly logbook: Logbook;
  readonly best: BestModel;
  readonly live: LiveRun;
  readonly stages: RunningStages | undefined;
  readonly prepared: {
    readonly args: Pick<CompleteArguments, 'earlyEvals'>;
    readonly recipe: Pick<Recipe, 'metrics' | 'bestMetric'>;
  };
}

/** The steps of evaluations that `earlyEvals` adds. */
const earlySteps: readonly number[] = [25, 50, 100];

/** The pause that evaluates the dev pairs and selects the best weights. */
export class DevEvaluation implements Pause {
  readonly #run: EvaluatedRun;
  readonly #session: Pick<TrainingSession, 'emit' | 'signal'>;
  readonly #open: () => Promise<DevSet | undefined>;
  readonly #isEmpty: boolean;
  /** The dev set, opened for the first evaluation; `none` if no pair fits. */
  #devSet: DevSet | 'none' | undefined;
  /** Step of the last evaluation. */
  #step = -1;
  /** The last evaluation, if it is an additional one: it selects weights only at the end of a session. */
  #early: LogEval | undefined;

  /** `pairs`: the dev pairs, of which `sentences` are translated. */
  constructor(
    run: EvaluatedRun,
    pairs: PairList,
    sentences: number,
    session: Pick<TrainingSession, 'emit' | 'signal'>,
    data: Pick<TrainingData, 'encode' | 'trainingSource'>,
  ) {
    const { engine, trainer, model, prepared } = run;
    this.#run = run;
    this.#session = session;
    this.#isEmpty = pairs.length === 0;
    this.#open = () => DevSet.open(engine, trainer, model, pairs, sentences, data, prepared.recipe.metrics);
  }

  /** Prepares the first evaluation, so that a run that lacks the memory for it fails at once. */
  async prepare(): Promise<void> {
    if (this.#run.live.evalSteps === 0) return;
    const devSet = await this.#openDevSet();
    if (devSet !== 'none') await devSet.prepare();
  }

  due(): boolean {
    const { live, trainer } = this.#run;
    if (live.evalSteps === 0) return false;
    return trainer.step % live.evalSteps === 0 || this.#isEarly(trainer.step);
  }

  async pause(_skipped: number, final: boolean): Promise<void> {
    const { trainer, weights, logbook, best, live, stages } = this.#run;
    const { emit, signal } = this.#session;
    const { step } = trainer;
    // If early stopping ends the run, this step is evaluated already.
    if (this.#step === step && this.#early && final) await best.consider(this.#early, () => weights.read());
    if (this.#step === step || live.evalSteps === 0) return;
    const devSet = this.#devSet ?? (await this.#openDevSet());
    if (devSet === 'none') return;
    const evaluation = await weights.on(() => devSet.evaluate(step, signal));
    if (!evaluation) return;
    const { record, samples } = evaluation;
    if (samples) emit({ type: 'devSamples', step, samples });
    this.#step = step;
    logbook.add(record);
    const { metrics, bestMetric } = this.#run.prepared.recipe;
    this.#message(describeDev(record, metrics));
    this.#early = !final && step % live.evalSteps !== 0 ? record : undefined;
    if (this.#early) return;
    await best.consider(record, () => weights.read());
    stages?.consider(step, metricValue(record, bestMetric) ?? Number.NaN);
  }

  #isEarly(step: number): boolean {
    return this.#run.prepared.args.earlyEvals && earlySteps.includes(step);
  }
  async #openDevSet(): Promise<DevSet | 'none'> {
    const devSet = await this.#open();
    this.#devSet = devSet ?? 'none';
    if (!devSet) {
      this.#message(
        this.#isEmpty
          ? msg`dev: there are no dev pairs, so nothing is evaluated; increase ${option('heldOut')}, or give dev pairs`
          : msg`dev: no dev pair fits the model, so nothing is evaluated; increase ${option('heldOut')}, or give shorter dev pairs`,
      );
      return 'none';
    }
    const { skipped, unknown } = devSet;
    if (skipped) this.#message(msg`dev: ${skipped}`);
    this.#message(msg`dev: ${unknown.text}`);
    if (unknown.tooMany)
      this.#session.emit({ type: 'warning', text: msg`dev: more than 2 % ${unknown.text}` });
    return devSet;
  }

  #message(text: Message | string): void {
    this.#session.emit({ type: 'message', text });
  }
}

/**
 * Formats an evaluation as a line: `dev after 300 steps: loss 0.4120, perplexity 1.510, token accuracy 88.1
 * %, BLEU 62.30, ...`.
 */
function describeDev(e: LogEval, metrics: readonly Metric[]): Message {
  const percent = (share = Number.NaN) => `${(100 * share).toFixed(1)} %`;
  const accuracy = msg`token accuracy ${percent(e.tokenAccuracy)}`;
  const values = [
    msg`loss ${e.loss?.toFixed(4)}`,
    msg`perplexity ${e.perplexity?.toPrecision(4)}`,
    Object.is(e.knownTokenAccuracy, e.tokenAccuracy)
      ? accuracy
      : msg`${accuracy} (${percent(e.knownTokenAccuracy)} without unknown tokens)`,
  ];
  for (const metric of metrics) {
    const value = metricValue(e, metric);
    if (metric.needs === 'translations' && value !== undefined)
      values.push(msg`${metric.label} ${metric.show(value)}`);
  }
  return msg`dev after ${counted(e.step, '{0} step', '{0} steps')}: ${listed(values)}`;
}
