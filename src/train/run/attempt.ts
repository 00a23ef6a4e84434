// One attempt at a training run on one device: creates trainer and log, runs the loop with its evaluations
// and checkpoints, and finishes. recovery.ts starts another attempt if the device is lost.

import { check, HeddleError } from '../../core/errors.ts';
import type { TextModel } from '../../decode/translator.ts';
import type { Engine } from '../../engine/engine.ts';
import type { KernelChoices } from '../../engine/plan/kernel-choices.ts';
import { isInFolder } from '../../files/files.ts';
import { hfConfigOf } from '../../formats/shared/saved-model.ts';
import { loraConfig } from '../../model/lora.ts';
import { formatChanges } from '../report/run-changes.ts';
import { createEventWriter, type EventWriter } from '../report/tensorboard.ts';
import type { TrainingSession } from '../report/training-events.ts';
import type { LogRecord } from '../report/training-log.ts';
import { initFolder } from '../settings/recipes.ts';
import type { CompleteArguments, TrainArguments } from '../settings/train-arguments.ts';
import { attentionFitsF16, needsF32Residual } from '../update/f16-range.ts';
import { describeTrainable } from '../update/trainable-parameters.ts';
import { Trainer } from '../update/trainer.ts';
import { initializeTraining } from '../update/training-state.ts';
import type { Checkpointer, RunParts } from './checkpoints.ts';
import { createCheckpointer, createWeightKeeper, restore, writeCheckpoint } from './checkpoints.ts';
import { createDevSet, describeDev } from './evaluation.ts';
import { type AttemptResult, finishTraining } from './finish.ts';
import { type ChangeList, createLiveRun, type LiveRun, settingsAfter } from './live-run.ts';
import { corpusFacts, createLogbook, type Logbook, planFacts, readLog, saveFailure } from './logging.ts';
import { type Pause, trainingLoop } from './loop.ts';
import { createProbe } from './probe.ts';
import { createBestModel } from './selection.ts';
import { type Setup, setUp } from './setup.ts';
import type { CheckpointFolder, TrainInputs } from './train-result.ts';
import { createTrainedWeights } from './trained-weights.ts';

/** What the attempts of one run share. */
export interface Attempt {
  readonly inputs: TrainInputs;
  /** Checkpoint to continue from, if not the one in the model folder. */
  readonly from?: CheckpointFolder;
  /** Changes of settings during the run. */
  readonly changes: ChangeList;
  /** Kernels of the previous attempt, by key; the kernels of a checkpoint take precedence. */
  readonly kernelChoices?: KernelChoices;
  /** Receives the checkpointer and the chosen kernels, which the next attempt uses. */
  onStart(checkpointer: Checkpointer, kernelChoices: KernelChoices): void;
  /** Receives the records of the log. */
  onRecord(record: LogRecord): void;
}

/** Trains a model on one device. Throws a HeddleError for invalid options, and the errors of the device. */
export async function attemptTraining(
  given: TrainArguments,
  session: TrainingSession,
  attempt: Attempt,
): Promise<AttemptResult> {
  const { emit, signal, files } = session;
  const { inputs, changes } = attempt;
  const from = attempt.from ?? (given.resume ? { files, folder: given.out } : undefined);
  const setup = await setUp(given, session, from, inputs);
  checkNotStopped(signal);
  const { args, before, task, steps } = setup;
  changes.read(args.changes);
  // A resumed run uses the kernels of its checkpoint, so that the same GPU adapter gives the same bits.
  const kernelChoices = before?.choices ?? attempt.kernelChoices;
  const engine = await session.engine(kernelChoices && { kernelChoices });
  let events: EventWriter | undefined;
  try {
    emit({ type: 'message', text: `training on ${engine.name}` });
    const opened = await openRun(engine, setup, session, changes);
    const { trainer, model, trained } = opened;
    const { plans } = trainer;
    events = await openEvents(args, trainer.step, session);
    const onRecord = (record: LogRecord) => {
      attempt.onRecord(record);
      events?.add(record);
    };
    const peak = createPeakMeasurement(session);
    const logbook = await openLog(setup, opened, session, { ...attempt, onRecord }, peak.gflops);
    const live = createLiveRun(setup, trainer, changes, logbook.add);
    const best = createBestModel(args, live, opened.kept);
    const run: StartedRun = { ...opened, engine, changes, logbook, live, best };
    const checkpointer = createRunCheckpointer(args, inputs, session);
    attempt.onStart(checkpointer, engine.kernelChoices);
    const pauses = [
      peak.pause,
      ...(await probePauses(setup, run)),
      evaluationPause(setup, run, session),
      ...checkpointPauses(setup, run, session, checkpointer),
      live.pause,
    ];
    checkNotStopped(signal);
    const { gate } = inputs;
    const { parameters } = trainer;
    gate?.ready({
      ...{ engine, model, parameters, plans },
      step: () => trainer.step,
      onModel: trained.on,
      live: live.settings,
      change: live.change,
    });
    let [done, skipped] = [trainer.step, before?.skipped ?? 0];
    const result = await trainingLoop(trainer, task.batchAt, steps, session, {
      skipped,
      onStep(report, seconds) {
        logbook.step(report, seconds);
        done = report.step + 1;
        if (report.skipped) skipped++;
      },
      pauses,
      stopEarly: () => best.outOfPatience,
      gate,
    }).catch(async (error: unknown) => {
      const lost = (await session.device.lost()) !== undefined;
      if (!args.out || lost || !(error instanceof HeddleError)) throw error;
      throw await saveFailure(files, args.out, logbook, { step: done, skipped }, error);
    });
    return await finishTraining(setup, { ...run, result, inputs, peak: peak.gflops() }, session);
  } finally {
    await events?.close();
    engine.destroy();
  }
}

/** A run on its engine, at its first step or at the step of its checkpoint. */
type OpenedRun = Awaited<ReturnType<typeof openRun>>;

/** A run before its next update. */
type StartedRun = RunParts & OpenedRun & { readonly live: LiveRun };

/** Throws a HeddleError if the run was stopped before its first step; a large run takes seconds to open. */
const checkNotStopped = (signal: AbortSignal): void =>
  check(!signal.aborted, 'train: stopped before the first step; nothing was saved');

/**
 * Creates the trainer and initializes its state, or restores the checkpoint. `kept`: the best evaluation in
 * the checkpoint, with its weights, if there is one.
 */
async function openRun(engine: Engine, setup: Setup, { emit, signal }: TrainingSession, changes: ChangeList) {
  checkNotStopped(signal);
  const { args, from, before, start, task, parameters, recipe } = setup;
  const { weights: format = 'f32' } = args;
  const { config, source, target, shapes } = task;
  const lora = args.lora && loraConfig(args.lora);
  const message = (text: string) => emit({ type: 'message', text });
  const begin = settingsAfter(setup, changes.upTo(before?.step ?? 0));
  const { weights, stored, notes: _, ...loaded } = start ?? {};
  const base = stored ?? weights;
  const f32Residual =
    args.precision === 'f16' &&
    needsF32Residual(config, start !== undefined && hfConfigOf(start) !== undefined);
  const f32Attention = f32Residual && base !== undefined && !(await attentionFitsF16(config, base));
  if (f32Attention)
    message('attention is computed in f32: with these weights it may exceed the range of f16');
  const { freeze, precision, noFuse, gradientCheckpointing, checkFinite, updateRatioSteps } = args;
  const trainer = await Trainer.open(engine, begin.config, recipe, shapes, {
    ...{ precision, noFuse, gradientCheckpointing, checkFinite, updateRatioSteps },
    ...{ freeze, lora, weights: format, f32Residual, f32Attention },
  });
  checkNotStopped(signal);
  trainer.schedule = begin.schedule;
  const model: TextModel = { ...loaded, config, source, target };
  const { trainable } = trainer;
  const { optimizer } = recipe;
  const baseFolder = initFolder(args);
  const trained = await createTrainedWeights({
    engine,
    model,
    trainable,
    optimizer,
    lora,
    start,
    baseFolder,
  });
  const described = describeTrainable(trainable, parameters);
  if (described) message(described);
  if (!before || lora) await initializeTraining(engine, config, recipe, { weights: base, lora, format });
  const kept = from && before && (await restore(engine, trainer, trained, from, before));
  checkNotStopped(signal);
  if (before) message(`resumed at step ${before.step}`);
  return { trainer, model, trained, kept };
}

/** Opens the log, which continues the log of a checkpoint. */
async function openLog(
  { args, from, dev, test, task, parameters, recipe, steps, perEpoch }: Setup,
  { trainer }: OpenedRun,
  { backend, emit, kernels }: TrainingSession,
  { inputs, changes, onRecord }: Attempt,
  peakGflops: () => number | undefined,
): Promise<Logbook> {
  const { shapes, config } = task;
  const plan = planFacts(trainer.trainingPlans, shapes);
  const { init, gradientAccumulationSteps, optimizer, schedule } = recipe;
  const before = from
    ? await readLog(from.files, from.folder, (text) => emit({ type: 'message', text }))
    : [];
  const logbook = createLogbook(
    before,
    {
      step: trainer.step,
      steps,
      stepsPerEpoch: perEpoch,
      backend,
      seed: args.seed,
      parameters: parameters.count,
      preset: args.preset,
      config: { ...config },
      recipe: { init, gradientAccumulationSteps, optimizer, schedule },
      corpus: corpusFacts(args, task, { dev, test }),
      ...(plan && { plan }),
      ...(kernels.dropped.size > 0 && { droppedKernels: Object.fromEntries(kernels.dropped) }),
      arguments: args,
    },
    { onRecord, maxSteps: inputs.maxLogSteps, peakGflops },
  );
  const logged = new Set(before.flatMap((r) => (r.type === 'change' ? [formatChanges([r])] : [])));
  for (const change of changes.upTo(trainer.step))
    if (!logged.has(formatChanges([change]))) logbook.add({ type: 'change', ...change });
  return logbook;
}

/** Starts an event file for TensorBoard, if the arguments name its folder. */
async function openEvents(
  { tensorboard, out }: CompleteArguments,
  step: number,
  { files, emit }: TrainingSession,
): Promise<EventWriter | undefined> {
  if (!tensorboard) return undefined;
  check(
    !out || !isInFolder(tensorboard, out),
    `train: tensorboard (${tensorboard}) is in the model folder ${out}, which each checkpoint replaces; use a folder outside of it`,
  );
  return createEventWriter(files, tensorboard, step, ({ message }) =>
    emit({
      type: 'warning',
      text: `TensorBoard events are no longer written; training continues: ${message}`,
    }),
  );
}

/**
 * The pause that measures the peak rate of the adapter, after the first update so that it does not delay it.
 */
function createPeakMeasurement(session: TrainingSession): {
  readonly pause: Pause;
  gflops(): number | undefined;
} {
  let peak: number | undefined;
  let measured = false;
  return {
    gflops: () => peak,
    pause: {
      due: () => !measured,
      async pause() {
        if (!measured) peak = await session.kernels.peakGflops();
        measured = true;
      },
    },
  };
}

/** Creates the checkpointer of the model folder. */
const createRunCheckpointer = (
  { out, saveSteps, saveSeconds }: CompleteArguments,
  { gate, snapshots: memory }: TrainInputs,
  { emit, files }: TrainingSession,
): Checkpointer =>
  createCheckpointer({
    ...{ saveSteps, saveSeconds, memory },
    out: out ? { files, folder: out } : undefined,
    isWanted: gate && (() => gate.wantsCheckpoint()),
    onSaved: (step) => emit({ type: 'checkpoint', step }),
    onFailed: ({ message }) =>
      emit({
        type: 'warning',
        text: `The checkpoint was not saved; training continues: ${message}`,
        unsaved: true,
      }),
  });

/**
 * The pauses that save checkpoints. Each save to the model folder also saves the weights for `keepLast` and
 * the token cache.
 */
function checkpointPauses(
  setup: Setup,
  run: StartedRun,
  { files }: TrainingSession,
  checkpointer: Checkpointer,
): Pause[] {
  const { trainer, trained } = run;
  const keepWeights = createWeightKeeper(files, setup.args, trained);
  return checkpointer.pauses(
    () => trainer.step,
    async (place, skipped) => {
      await writeCheckpoint(setup, run, place, skipped);
      if (place.files !== files) return;
      await keepWeights(trainer.step);
      await setup.cacheTokens();
    },
  );
}

/** The pause that records the probe, if the run has one. */
async function probePauses(
  { args: { probe, probeSteps: every }, dev, examples: train }: Setup,
  { engine, model, trainer, trained, logbook }: StartedRun,
): Promise<Pause[]> {
  if (!probe || every === 0) return [];
  const options = {
    probe,
    every,
    dev,
    train,
    step: () => trainer.step,
    onModel: trained.on,
    onRecord: logbook.add,
  };
  return [await createProbe(engine, model, trainer.parameters, options)];
}

/** The pause that evaluates the dev pairs and selects the best weights. */
function evaluationPause(
  { args, dev }: Setup,
  { engine, trainer, model, trained, logbook, best, live }: StartedRun,
  { emit, signal }: TrainingSession,
): Pause {
  const message = (text: string) => emit({ type: 'message', text });
  const open = () => {
    const devSet = createDevSet(engine, trainer, model, dev, args.devSentences, (step, samples) =>
      emit({ type: 'devSamples', step, samples }),
    );
    if (!devSet) {
      message(
        'dev: no dev pair fits the model, so nothing is evaluated; increase heldOut, or give shorter dev pairs',
      );
      return undefined;
    }
    if (devSet.skipped) message(`dev: ${devSet.skipped}`);
    message(`dev: ${devSet.unknown.text}`);
    if (devSet.unknown.tooMany) emit({ type: 'warning', text: `dev: more than 2 % ${devSet.unknown.text}` });
    return devSet;
  };
  let opened = live.evalSteps > 0;
  let devSet = opened ? open() : undefined;
  let evaluated = -1;
  const pause = async () => {
    // If early stopping ends the run, this step is evaluated already.
    if (evaluated === trainer.step || live.evalSteps === 0) return;
    if (!opened) devSet = open();
    opened = true;
    if (!devSet) return;
    const { evaluate } = devSet;
    const evaluation = await trained.on(() => evaluate(trainer.step, signal));
    if (!evaluation) return;
    evaluated = evaluation.step;
    logbook.add(evaluation);
    message(describeDev(evaluation));
    await best.consider(evaluation, trained.read);
  };
  return { due: () => live.evalSteps > 0 && trainer.step % live.evalSteps === 0, pause };
}
