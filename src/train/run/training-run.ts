// A training run on one device, from its settings to its result. recovery.ts opens another one from the last
// checkpoint if the device is lost.

import { check, HeddleError, reasonOf } from '../../core/errors.ts';
import { type Message, msg, option } from '../../core/message.ts';
import type { TextModel } from '../../decode/translator.ts';
import type { Engine } from '../../engine/engine.ts';
import { mfuOf } from '../../engine/gpu/roofs.ts';
import type { KernelChoices } from '../../engine/plan/kernel-choices.ts';
import { isInFolder } from '../../files/files.ts';
import type { RunningStages, StageStart } from '../../text/batches/batch-source.ts';
import { sampleEvenly } from '../../text/corpus/pairs.ts';
import { isBetter } from '../../text/metrics/metric.ts';
import { EventWriter } from '../report/tensorboard.ts';
import type { TrainingSession } from '../report/training-events.ts';
import type { LogRecord } from '../report/training-log.ts';
import { initFolder } from '../settings/run-defaults.ts';
import type { TrainArguments } from '../settings/train-arguments.ts';
import type { Trainer } from '../update/trainer.ts';
import { BestModel, type Candidate, describeBest } from './best-model.ts';
import { type Checkpointer, openCheckpointer } from './checkpoints.ts';
import { DevEvaluation } from './dev-evaluation.ts';
import { checkDiskSpace } from './disk-space.ts';
import { translateTest } from './evaluation.ts';
import { type ChangeList, LiveRun } from './live-run.ts';
import { keptSamples, Logbook } from './logbook.ts';
import { type ModelOnEngine, type Pause, TrainingLoop } from './loop.ts';
import { openCheckpoint } from './open-checkpoint.ts';
import { PeakMeasurement } from './peak-measurement.ts';
import { type PreparedRun, prepareRun } from './prepared-run.ts';
import { Probe } from './probe.ts';
import { reportStart } from './start-messages.ts';
import type { CheckpointFolder, FinishedTraining, TrainInputs, TrainResult } from './train-result.ts';
import { openTrainer, type TrainedModel, type TrainedWeights } from './trained-model.ts';

/** What a run has besides its arguments. */
export interface RunOptions {
  readonly inputs: TrainInputs;
  /** Checkpoint to continue from. [the one in the model folder, if the arguments resume it] */
  readonly from?: CheckpointFolder;
  /** Changes of settings during the run; a run after a lost device gets the list of the one before. */
  readonly changes: ChangeList;
  /** Kernels of the run before a lost device, by key; the kernels of a checkpoint take precedence. */
  readonly kernelChoices?: KernelChoices;
  /** Receives the records of the log. */
  onRecord(record: LogRecord): void;
}

/** A finished run without the records of its updates and dev evaluations; recovery.ts has those of all runs. */
export interface FinishedRun extends Omit<FinishedTraining, 'result'> {
  readonly result: Omit<TrainResult, 'steps' | 'losses' | 'dev'>;
}

/** A training run on one device. */
export class TrainingRun implements TrainedModel {
  readonly prepared: PreparedRun;
  readonly engine: Engine;
  readonly trainer: Trainer;
  readonly model: TextModel;
  readonly weights: TrainedWeights;
  readonly kept: Candidate | undefined;
  readonly changes: ChangeList;
  readonly logbook: Logbook;
  readonly live: LiveRun;
  /** The stages, if the run has any. */
  readonly stages: RunningStages | undefined;
  readonly best: BestModel;
  readonly checkpointer: Checkpointer;
  /** Folder with the result of the run. */
  #savedIn: string;
  readonly #session: TrainingSession;
  readonly #inputs: TrainInputs;
  readonly #events: EventWriter | undefined;
  readonly #peak: PeakMeasurement;
  #pauses: readonly Pause[] = [];

  private constructor(
    session: TrainingSession,
    { inputs, changes }: RunOptions,
    prepared: PreparedRun,
    engine: Engine,
    trained: TrainedModel,
    logbook: Logbook,
    peak: PeakMeasurement,
    events: EventWriter | undefined,
  ) {
    this.prepared = prepared;
    this.engine = engine;
    this.trainer = trained.trainer;
    this.model = trained.model;
    this.weights = trained.weights;
    this.kept = trained.kept;
    this.changes = changes;
    this.logbook = logbook;
    this.live = new LiveRun(prepared, this.trainer, changes, (change) => logbook.add(change));
    this.stages = openStages(prepared, this, session);
    this.best = new BestModel(
      { metric: prepared.recipe.bestMetric, patience: prepared.args.patience },
      this.live,
      this.kept,
    );
    this.checkpointer = openCheckpointer(prepared, this, session, inputs);
    this.#savedIn = prepared.args.out;
    this.#session = session;
    this.#inputs = inputs;
    this.#events = events;
    this.#peak = peak;
  }

  /**
   * Sets up a run, opens its engine and its log, and initializes or restores its weights. Throws a HeddleError
   * for invalid options, the reason of the signal if it is aborted, and the errors of the device. Close the run
   * in any case.
   */
  static async open(
    given: TrainArguments,
    session: TrainingSession,
    options: RunOptions,
  ): Promise<TrainingRun> {
    const { emit, signal, files } = session;
    const from = options.from ?? (given.resume ? { files, folder: given.out } : undefined);
    const checkpoint = from && (await openCheckpoint(from));
    const prepared = await prepareRun(given, session, checkpoint, options.inputs);
    reportStart(prepared, given, session);
    signal.throwIfAborted();
    options.changes.read(prepared.args.changes);
    // A resumed run uses the kernels of its checkpoint, so that the same GPU adapter gives the same bits.
    const kernelChoices = checkpoint?.state.choices ?? options.kernelChoices;
    const engine = await session.engine({ kernelChoices, trains: true });
    let events: EventWriter | undefined;
    try {
      emit({ type: 'message', text: msg`training on ${engine.name}` });
      const trained = await openTrainer(engine, prepared, session, options.changes);
      events = await openEvents(prepared, trained.trainer.step, session);
      const peak = new PeakMeasurement(session);
      const logbook = await Logbook.open(prepared, trained.trainer, options.changes, session, {
        onRecord(record) {
          options.onRecord(record);
          events?.add(record);
        },
        maxSteps: options.inputs.maxLogSteps,
        peakGflops: () => peak.gflops,
      });
      const run = new TrainingRun(session, options, prepared, engine, trained, logbook, peak, events);
      run.#pauses = await run.#openPauses();
      return run;
    } catch (error) {
      await events?.close();
      engine.destroy();
      throw error;
    }
  }

  /**
   * Trains until the last step, early stopping or an abort, and finishes: translates the test pairs with the
   * best weights and closes the log. Throws the reason of the signal if it is aborted before the first step.
   */
  async run(): Promise<FinishedRun> {
    const { prepared, trainer, live } = this;
    const { gate } = this.#inputs;
    const loop = new TrainingLoop(trainer, this.#session, {
      batchAt: (index) => prepared.data.batches.at(index),
      steps: prepared.steps,
      skipped: prepared.checkpoint?.state.skipped ?? 0,
      onStep: (report, seconds) => this.logbook.step(report, seconds),
      pauses: this.#pauses,
      stopEarly: () => this.#isStalled,
      gate,
    });
    gate?.ready({
      model: this.#onEngine,
      plans: trainer.plans,
      step: () => trainer.step,
      onModel: (work) => this.weights.on(work),
      live: () => live.settings,
      change: (settings) => live.change(settings),
    });
    await checkDiskSpace(prepared, trainer, this.#session);
    this.#session.signal.throwIfAborted(); // from here on an abort ends the run after its step
    try {
      await loop.run();
    } catch (error) {
      throw await this.#failureOf(error, loop);
    }
    return this.#finish(loop);
  }

  /** Whether early stopping ends the run. */
  get #isStalled(): boolean {
    return this.best.outOfPatience && (this.stages?.mayStop ?? true);
  }

  get #onEngine(): ModelOnEngine {
    return { engine: this.engine, model: this.model, parameters: this.trainer.parameters };
  }

  /** The work between updates, in order. */
  async #openPauses(): Promise<Pause[]> {
    const { args, data, dev, examples: train } = this.prepared;
    const { trainer, weights, logbook, engine, model } = this;
    const pauses: Pause[] = [this.#peak];
    if (args.probe && args.probeSteps > 0) {
      pauses.push(
        await Probe.open(engine, model, trainer.parameters, {
          probe: args.probe,
          every: args.probeSteps,
          dev,
          train,
          step: () => trainer.step,
          onModel: (work) => weights.on(work),
          onRecord: (record) => logbook.add(record),
        }),
      );
    }
    const evaluation = new DevEvaluation(this, dev, args.devSentences, this.#session, data);
    await evaluation.prepare();
    pauses.push(evaluation);
    if (this.stages) pauses.push(this.stages);
    return [...pauses, ...this.checkpointer.pauses, this.live];
  }

  /** The error of a failed loop; if training itself failed, its log and report are saved. */
  async #failureOf(error: unknown, { done, skipped }: TrainingLoop): Promise<unknown> {
    const { files, device } = this.#session;
    const { out } = this.prepared.args;
    const lost = (await device.lost()) !== undefined;
    if (!out || lost || !(error instanceof HeddleError)) return error;
    return this.logbook.saveFailure({ files, folder: out }, { step: done, skipped }, error);
  }

  /** Reports why the run ended, translates the test pairs with the final weights, and closes the log. */
  async #finish(loop: TrainingLoop): Promise<FinishedRun> {
    const { prepared, trainer, model, best, logbook } = this;
    const { args, steps, data, parameters } = prepared;
    const { emit, files } = this.#session;
    const message = (text: Message) => emit({ type: 'message', text });
    const { step } = trainer;
    const early = this.#isStalled && step < steps;
    const stopped = step < steps && !early;
    if (early) message(msg`early stopping at step ${step}: ${args.patience} evaluations without improvement`);
    if (best.state) message(describeBest(best.state));
    const out = args.out && this.#savedIn;
    if (out) message(args.lora ? msg`LoRA adapter saved in ${out}` : msg`model saved in ${out}`);
    const weights = best.weights ?? (await this.weights.read());
    this.weights.put(weights);
    const evaluation = await this.#translateTest();
    const { gflops } = this.#peak;
    const mfu = gflops && loop.modelFlops > 0 ? mfuOf(loop.modelFlops, loop.seconds, gflops) : undefined;
    logbook.add({
      type: 'end',
      time: new Date().toISOString(),
      step,
      reason: early ? 'patience' : stopped ? 'stopped' : 'done',
      skipped: loop.skipped,
      mfu,
      best: best.state,
    });
    if (out) await this.#saveLog({ files, folder: out });
    const result: FinishedRun['result'] = {
      config: data.config,
      parameters: parameters.count,
      settings: { ...args },
      pairs: data.corpus.count,
      stopped,
      skipped: loop.skipped,
      trainSeconds: loop.seconds,
      tokensPerSecond: loop.tokens / loop.seconds,
      mfu,
      peakBytes: Math.max(0, ...trainer.plans.map((p) => p.bytes.peak)),
      dispatches: Math.max(0, ...trainer.trainingPlans.map((p) => p.passes.length)),
      best: best.state,
      evaluation,
      out,
      loraBase: args.lora && initFolder(args),
    };
    return {
      result,
      model: async () => ({ ...model, weights: await this.weights.whole(weights) }),
      lora: args.lora && weights,
    };
  }

  /** Saves the model, without the training state, as the result of the run. */
  async saveModel(place: CheckpointFolder): Promise<void> {
    const weights = this.best.weights ?? (await this.weights.read());
    await this.weights.save(place, weights, {}, this.prepared.runId);
    this.#savedIn = place.folder;
  }

  /** Saves the complete log; a full disk is a warning, since the model is saved already. */
  async #saveLog(place: CheckpointFolder): Promise<void> {
    try {
      await this.logbook.save(place);
    } catch (error) {
      if (!(error instanceof HeddleError && error.kind === 'quota')) throw error;
      const text = msg`The end of the log and the report were not saved: ${reasonOf(error)}`;
      this.#session.emit({ type: 'warning', text });
    }
  }

  /** Translates and logs the test pairs, or else the dev pairs; undefined if nothing is translated. */
  async #translateTest(): Promise<TrainResult['evaluation']> {
    const { args, recipe, data, dev, test } = this.prepared;
    const { emit, signal } = this.#session;
    if (args.testSentences === 0 || signal.aborted) return undefined;
    const pairs = sampleEvenly(test.length ? test : dev, args.testSentences);
    const found = await translateTest(this.#onEngine, data, pairs, recipe.metrics, signal, (text) =>
      emit({ type: 'message', text }),
    );
    if (!found) return undefined;
    const { metrics, samples, seconds } = found;
    const { step } = this.trainer;
    this.logbook.add({ type: 'eval', step, part: 'test', ...metrics, seconds });
    this.logbook.add({ type: 'samples', step, samples: keptSamples(samples) });
    return { ...metrics, samples };
  }

  /** Frees the engine of the run. */
  async close(): Promise<void> {
    await this.#events?.close();
    await this.prepared.data.batches.close();
    this.engine.destroy();
  }
}

/** Opens the stages of the data, if there are any, with their starts in the log and in messages. */
function openStages(
  { args, recipe, data, checkpoint }: PreparedRun,
  { trainer, live, logbook }: Pick<TrainingRun, 'trainer' | 'live' | 'logbook'>,
  { emit }: TrainingSession,
): RunningStages | undefined {
  return data.batches.stages?.open({
    patience: args.patience,
    gradientAccumulationSteps: args.gradientAccumulationSteps,
    before: checkpoint?.state.stages,
    isBetter: (value, than) => isBetter(recipe.bestMetric, value, than),
    step: () => trainer.step,
    evalSteps: () => live.evalSteps,
    onStart(stage, isKnown) {
      if (!isKnown) logbook.add({ type: 'stage', ...stage });
      emit({ type: 'message', text: describeStage(stage) });
    },
  });
}

/** The start of a stage in words: `stage 2 of 3 after 30 steps: 80 % clean.tsv, 20 % bt.tsv`. */
const describeStage = ({ step, stage, stages, data }: StageStart): Message =>
  stages === 1 ? msg`training data: ${data}` : msg`stage ${stage} of ${stages} after ${step} steps: ${data}`;

/** Starts an event file for TensorBoard, if the arguments name its folder. */
async function openEvents(
  { args: { tensorboard, out }, recipe }: PreparedRun,
  step: number,
  { files, emit }: TrainingSession,
): Promise<EventWriter | undefined> {
  if (!tensorboard) return undefined;
  check(
    !out || !isInFolder(tensorboard, out),
    msg`${option('tensorboard')} (${tensorboard}) is in the model folder ${out}; use a folder outside`,
    { area: 'train' },
  );
  return EventWriter.open(files, tensorboard, step, recipe.metrics, (error) =>
    emit({
      type: 'warning',
      text: msg`TensorBoard events are no longer written; training continues: ${reasonOf(error)}`,
    }),
  );
}
