// heddle train: text in, a trained model folder out, on one device and free of where it runs. setup.ts is what comes before the device,
// outcome.ts what comes after the last step.

import { check, HeddleError } from '../core/errors.ts';
import type { TextModel } from '../decode/translator.ts';
import type { Engine } from '../engine/engine.ts';
import { loraConfig } from '../model/lora.ts';
import type { LogEval } from '../report/training-log.ts';
import type { JobContext } from '../runtime/job.ts';
import { describeTrainable } from '../trainer/trainable-parameters.ts';
import { createTrainer, initializeTraining, type Trainer, type TrainerOptions } from '../trainer/trainer.ts';
import { createCheckpointer } from './checkpointer.ts';
import { restore, writeCheckpoint } from './checkpoints.ts';
import { createDevSet, describeDev } from './evaluation.ts';
import { finishTraining } from './finish.ts';
import { corpusFacts, createLogbook, type Logbook, planFacts, readLog, saveFailure } from './logging.ts';
import { type Pause, trainingLoop } from './loop.ts';
import { initFolder } from './recipes.ts';
import type { Attempt } from './recovery.ts';
import { type BestModel, createBestModel } from './selection.ts';
import { type Setup, setUp } from './setup.ts';
import type { CompleteArguments, TrainArguments, TrainResult } from './train-arguments.ts';
import { createTrainedWeights, type TrainedWeights } from './trained-model.ts';

/** Trains a model on one device; recover.ts makes of it a job that outlives a lost one. */
export async function attemptTraining(
  given: TrainArguments,
  context: JobContext,
  attempt: Attempt = {},
): Promise<TrainResult> {
  const { emit, signal, files, live } = context;
  const from = attempt.from ?? (given.resume ? { files, folder: given.out ?? '' } : undefined);
  const setup = await setUp(given, context, from, attempt.inputs);
  const { args, before, task, steps } = setup;
  // A resumed training takes the kernels it had, so that the same adapter gives the same bits.
  const known = before?.choices ?? attempt.known;
  const engine = await context.engine(known && { kernelChoices: known });
  try {
    emit({ type: 'log', text: `training on ${engine.name}` });
    const opened = await open(engine, setup, context);
    const { trainer, model, trained, best, plans } = opened;
    const logbook = await openLog(setup, opened, context, attempt);
    const keeper = createCheckpointer(keeping(args, context));
    attempt.begun?.(keeper, engine.kernelChoices);
    const dev: LogEval[] = [];
    const pauses = [
      ...evaluating(setup, opened, context, engine, (found) => {
        dev.push(found);
        logbook.add(found);
      }),
      ...keeper.pauses(
        () => trainer.step,
        (place, skipped) => writeCheckpoint(setup, { engine, trainer, trained, best, logbook }, place, skipped),
      ),
    ];
    check(!signal.aborted, 'train: ended before its first step; nothing was saved');
    live?.ready({ engine, model, plans, step: () => trainer.step, onModel: trained.on });
    let [done, skipped] = [trainer.step, before?.skipped ?? 0];
    const run = await trainingLoop(trainer, task.batchAt, steps, context, {
      skipped,
      onStep(report, seconds) {
        logbook.step(report, seconds);
        done = report.step + 1;
        if (report.skipped) skipped++;
      },
      pauses,
      ended: () => best.outOfPatience,
    }).catch(async (error: unknown) => {
      const lost = (await context.lost?.()) !== undefined;
      if (!args.out || lost || !(error instanceof HeddleError)) throw error;
      throw await saveFailure(files, args.out, logbook, { step: done, skipped }, error);
    });
    return await finishTraining(
      setup,
      { engine, trainer, model, trained, best, logbook, run, dev, inputs: attempt.inputs },
      context,
    );
  } finally {
    engine.destroy();
  }
}

/** A training on its engine, at its first step or where its checkpoint has it. */
interface Opened {
  readonly trainer: Trainer;
  readonly model: TextModel;
  readonly trained: TrainedWeights;
  readonly best: BestModel;
  readonly plans: NonNullable<Trainer['programs'][number]['plan']>[];
}

async function open(engine: Engine, setup: Setup, { emit }: JobContext): Promise<Opened> {
  const { args, from, before, start, task, parameters, recipe } = setup;
  const { config, source, target, shapes } = task;
  const lora = args.lora && loraConfig(args.lora);
  const baseFolder = initFolder(args);
  const log = (text: string) => emit({ type: 'log', text });
  const trainer = await createTrainer(engine, config, recipe, shapes, trainerOptions(args));
  const { weights: base, notes: _, ...loaded } = start ?? {};
  const model: TextModel = { ...loaded, config, source, target };
  const { trainable } = trainer;
  const trained = createTrainedWeights({
    engine,
    model,
    tuned: trainable,
    optimizer: recipe.optimizer,
    lora,
    base,
    baseFolder,
  });
  const described = describeTrainable(trainable, parameters);
  if (described) log(described);
  if (!before || lora) initializeTraining(engine, config, recipe, { ...(base && { weights: base }), lora });
  const kept = from && before && (await restore(engine, trainer, trained, from, before));
  if (before) log(`resumed at step ${before.step}`);
  const plans = trainer.programs.flatMap((p) => (p.plan ? [p.plan] : []));
  return { trainer, model, trained, best: createBestModel(args, kept), plans };
}

/** Options of the trainer in the arguments. */
function trainerOptions({
  lora,
  freeze,
  precision,
  noFuse,
  gradientCheckpointing,
  checkFinite,
}: CompleteArguments): TrainerOptions {
  return {
    ...(lora && { lora: loraConfig(lora) }),
    ...(freeze && { freeze }),
    precision,
    noFuse,
    gradientCheckpointing,
    checkFinite,
  };
}

/** The log, which goes on where a checkpoint has one. */
async function openLog(
  { args, from, split, task, parameters, recipe, steps, perEpoch }: Setup,
  { trainer, plans }: Opened,
  { backend, emit, live }: JobContext,
  attempt: Attempt,
): Promise<Logbook> {
  const { shapes, config } = task;
  const plan = planFacts(plans.slice(0, shapes.length), shapes);
  const { init, gradientAccumulationSteps, optimizer, schedule } = recipe;
  return createLogbook(
    from ? await readLog(from.files, from.folder, (text) => emit({ type: 'log', text })) : [],
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
      corpus: corpusFacts(args, task, split),
      ...(plan && { plan }),
      arguments: args,
    },
    { record: attempt.record ?? live?.record, keptSteps: live?.keptSteps },
  );
}

/** Where checkpoints go and when, and who hears of them. */
function keeping(
  args: CompleteArguments,
  { files, memory, live, emit }: JobContext,
): Parameters<typeof createCheckpointer>[0] {
  return {
    out: args.out ? { files, folder: args.out } : undefined,
    saveSteps: args.saveSteps,
    saveSeconds: args.saveSeconds,
    memory,
    wanted: () => live?.wantsSave() ?? false,
    saved: (step) => live?.saved(step),
    failed(error) {
      emit({ type: 'log', text: `not saved, training goes on: ${error.message}` });
      live?.warning(`The checkpoint was not saved, training goes on: ${error.message}`);
    },
  };
}

/** The pause in which the dev part is evaluated and the best weights are chosen; none where that is not asked for, or impossible. */
function evaluating(
  { args, split }: Setup,
  { trainer, model, trained, best }: Opened,
  { emit, signal, live }: JobContext,
  engine: Engine,
  add: (found: LogEval) => void,
): Pause[] {
  const log = (text: string) => emit({ type: 'log', text });
  if (args.evalSteps === 0) return [];
  const devSet = createDevSet(engine, trainer, model, split.dev, args.devSentences, live?.samples);
  if (!devSet) {
    log('dev: there are no pairs to evaluate on; hold out more, or give --dev');
    return [];
  }
  if (devSet.leftOut) log(`dev: ${devSet.leftOut}`);
  let evaluated = -1;
  const pause = async () => {
    // The end of a training that patience ends is an evaluation already.
    if (evaluated === trainer.step) return;
    const found = await trained.on(() => devSet.evaluate(trainer.step, signal));
    if (!found) return;
    evaluated = found.step;
    add(found);
    log(describeDev(found));
    await best.consider(found, trained.read);
  };
  return [{ every: args.evalSteps, pause }];
}
