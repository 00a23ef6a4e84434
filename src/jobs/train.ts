// heddle train: text in, a trained model folder out. Corpus, tokenizers, batches, the loop, evaluation, all free of where it runs.

import type { TextModel } from '../decode/translator.ts';
import { check, HeddleError } from '../errors.ts';
import { checkRewriteNames } from '../graph/rewrites.ts';
import type { TranslationMetrics } from '../metrics/translation.ts';
import type { LoraConfig } from '../model/adapter.ts';
import { type ModelConfig, type ModelOptions, type PresetName, presets } from '../model/config.ts';
import { type InitScheme, parameterList } from '../model/parameters.ts';
import type { LogEval, Sample } from '../report/log.ts';
import { describeLeftOut } from '../text/encoded.ts';
import { checkpointFiles, readTrainingState } from '../train/checkpoint.ts';
import { type OptimizerConfig, optimizerConfig } from '../train/optimizer.ts';
import { type Precision, scaling } from '../train/precision.ts';
import { type ScheduleConfig, scheduleConfig } from '../train/schedule.ts';
import { prepareTask, type TaskOptions } from '../train/task.ts';
import { createTrainer, startWeights } from '../train/trainer.ts';
import { describeTuned } from '../train/tuned.ts';
import { type BestMetric, type BestState, checkBest, createBest, describeBest } from './best.ts';
import { type CorpusArguments, readKeptCorpus } from './corpus.ts';
import { createDevSet, describeDev } from './dev-set.ts';
import type { JobContext } from './job.ts';
import { createKeeper, type Place } from './keeper.ts';
import { corpusFacts, createLogbook, keptSamples, planFacts, readLog, saveFailure, shapeName } from './logbook.ts';
import type { Attempt } from './recover.ts';
import { banksBeside, positionOf, restore, resumed } from './resume.ts';
import { startFrom } from './start-from.ts';
import { translateTest } from './test-set.ts';
import { trainedBank } from './trained.ts';
import { trainingLoop } from './training-loop.ts';

/** Everything that decides a training; plain JSON. */
export interface TrainArguments extends Omit<TaskOptions, 'model'> {
  readonly corpus: CorpusArguments;
  /** Fraction of source sentences held out for dev, and again for test. */
  readonly heldOut: number;
  readonly preset: PresetName;
  /** Fields of the model that differ from the preset's. */
  readonly model: Partial<ModelOptions>;
  /** Steps in all; or epochs, where steps are 0. */
  readonly steps: number;
  readonly epochs: number;
  readonly accumulate: number;
  readonly optimizer: Partial<OptimizerConfig>;
  readonly schedule: Partial<ScheduleConfig> & Pick<ScheduleConfig, 'learningRate'>;
  readonly init: InitScheme;
  /** Model folder to go on from, with its configuration and tokenizers, instead of `preset`, `tokenizer` and `init`. */
  readonly initFrom?: string;
  /** Evaluate on the dev part every so many steps, and after the last; 0: never. */
  readonly evalEvery: number;
  /** Sentences of the dev part that are translated at each evaluation; 0: none, loss and accuracy alone. */
  readonly devSentences: number;
  /** Metric of the dev set by which the weights are chosen that become the model. */
  readonly metric: BestMetric;
  /** Evaluations in a row without a better one after which training ends; 0: never. */
  readonly patience: number;
  /** Sentences of the test part that are translated at the end; 0: none. */
  readonly testSentences: number;
  /** Model folder to write; none where empty. */
  readonly out: string;
  /** Also write the folder every so many steps, or so many seconds; 0: only at the end. */
  readonly saveEvery: number;
  readonly saveSeconds?: number;
  /** Go on from the checkpoint in `out`, with the settings it was made with; only `steps` and `epochs` may be larger. */
  readonly resume: boolean;
  readonly noFuse: readonly string[];
  /** As in GraphOptions. */
  readonly checkpointLayers?: boolean;
  /** As in TrainerOptions. */
  readonly checkFinite?: boolean;
  /** As in GraphOptions. */
  readonly precision?: Precision;
  /** As in TuningOptions: what stays as it is, or an adapter for the model of `initFrom`, which is then what is written. */
  readonly freeze?: readonly string[];
  readonly lora?: LoraConfig;
}

/** How a training went; plain JSON. */
export interface TrainResult {
  readonly config: ModelConfig;
  readonly parameters: number;
  readonly pairs: number;
  readonly steps: number;
  /** Whether it was ended before its last step. */
  readonly stopped: boolean;
  readonly skipped: number;
  readonly losses: readonly number[];
  readonly trainSeconds: number;
  readonly tokensPerSecond: number;
  readonly peakBytes: number;
  readonly dispatches: number;
  /** Evaluations of the dev part. */
  readonly dev: readonly LogEval[];
  /** The evaluation whose weights are the model; none where there was none. */
  readonly best?: BestState;
  /** Translations of the test part. */
  readonly evaluation?: TranslationMetrics & { readonly samples: readonly Sample[] };
  readonly out: string;
  /** The model that the result is an adapter of, if it is one. */
  readonly adapterOf?: string;
}

/** Trains a model on one device; recover.ts makes of it a job that outlives a lost one. */
export async function train(given: TrainArguments, context: JobContext, attempt: Attempt = {}): Promise<TrainResult> {
  const { emit, signal, files, live } = context;
  const log = (text: string) => emit({ type: 'log', text });
  const from = attempt.from ?? (given.resume ? { files, folder: given.out } : undefined);
  const before = from && (await readTrainingState(from.files, from.folder));
  const args = before ? resumed(before, given) : given;
  checkRewriteNames(args.noFuse);
  checkBest(args);
  const { split, keep } = await readKeptCorpus(args.corpus, args.heldOut, context, from);
  check(split.train.length > 0, 'train: no pairs are left to train on; hold out less');
  const preset: Partial<ModelOptions> = presets[args.preset];
  const options = { ...preset, ...args.model };
  const start = await startFrom(args, context, from);
  const task = prepareTask(split.train, { ...args, model: options }, start);
  const { config, source, target, corpus, shapes, batches } = task;
  if (describeLeftOut(corpus)) log(describeLeftOut(corpus));
  const perEpoch = Math.ceil(batches.perEpoch / args.accumulate);
  const steps = args.steps > 0 ? args.steps : perEpoch * args.epochs;
  const schedule = scheduleConfig(args.schedule, { steps, dModel: config.dModel });
  const recipe = {
    optimizer: optimizerConfig({ ...scaling(args.precision), ...args.optimizer }),
    schedule,
    seed: args.seed,
    init: args.init,
    accumulate: args.accumulate,
  };
  const parameters = parameterList(config);
  log(
    `${split.train.length} pairs to learn from, vocabularies ${source.size} and ${target.size}, ` +
      `${parameters.count.toLocaleString('en')} parameters, ${steps} steps of ${shapes.map(shapeName).join(', ')}`,
  );

  // A resumed training takes the kernels it had, so that the same adapter gives the same bits.
  const known = before?.choices ?? attempt.known;
  const engine = await context.engine(known && { known });
  try {
    log(`training on ${engine.name}`);
    const trainer = await createTrainer(engine, config, recipe, shapes, args);
    const { weights: base, notes: _, ...loaded } = start ?? {};
    const model: TextModel = { ...loaded, config, source, target };
    const { tuned } = trainer;
    const { lora, initFrom: baseFolder } = args;
    const trained = trainedBank({ engine, model, tuned, optimizer: recipe.optimizer, lora, base, baseFolder });
    const described = describeTuned(tuned, parameters);
    if (described) log(described);
    if (!before || lora) startWeights(engine, config, recipe, { ...(base && { weights: base }), lora });
    const kept = from && before && (await restore(engine, trainer, trained, from, before));
    if (before) log(`resumed at step ${before.step}`);
    const best = createBest(args, kept);
    const plans = trainer.programs.flatMap((p) => (p.plan ? [p.plan] : []));
    const plan = planFacts(plans.slice(0, shapes.length), shapes);
    const logbook = createLogbook(
      from ? await readLog(from.files, from.folder, log) : [],
      {
        step: trainer.step,
        steps,
        stepsPerEpoch: perEpoch,
        backend: context.backend,
        seed: args.seed,
        parameters: parameters.count,
        preset: args.preset,
        config: { ...config },
        recipe: { init: args.init, accumulate: args.accumulate, optimizer: recipe.optimizer, schedule },
        corpus: corpusFacts(args, task, split),
        ...(plan && { plan }),
        arguments: args,
      },
      { record: attempt.record ?? live?.record, keptSteps: live?.keptSteps },
    );
    const save = async (place: Place, skipped: number): Promise<void> => {
      const bank = best.weights() ?? (await trained.read());
      const state = {
        ...positionOf(trainer.step, args.accumulate, batches.perEpoch),
        steps,
        skipped,
        seed: args.seed,
        schedule,
        arguments: args,
        ...(best.kept && { best: best.kept }),
      };
      const banks = await banksBeside(engine, tuned, bank, best.outdone());
      const extra = await checkpointFiles(engine, tuned, recipe.optimizer, state, banks);
      await trained.save(place, bank, { ...extra, ...logbook.files(), ...keep });
    };
    const keeper = createKeeper({
      out: args.out ? { files, folder: args.out } : undefined,
      saveEvery: args.saveEvery,
      saveSeconds: args.saveSeconds ?? 0,
      memory: context.memory,
      wanted: () => live?.wantsSave() ?? false,
      saved: (step) => live?.saved(step),
      failed(error) {
        log(`not saved, training goes on: ${error.message}`);
        live?.warning(`The checkpoint was not saved, training goes on: ${error.message}`);
      },
    });
    attempt.begun?.(keeper, engine.choices);
    const devSet =
      args.evalEvery > 0
        ? createDevSet(engine, trainer, model, split.dev, args.devSentences, live?.samples)
        : undefined;
    if (devSet?.leftOut) log(`dev: ${devSet.leftOut}`);
    if (args.evalEvery > 0 && !devSet) log('dev: there are no pairs to evaluate on; hold out more, or give --dev');
    const dev: LogEval[] = [];
    const evaluateDev = async (): Promise<void> => {
      const found = await trained.on(async () => devSet?.evaluate(trainer.step, signal));
      if (!found) return;
      dev.push(found);
      logbook.add(found);
      log(describeDev(found));
      await best.consider(found, trained.read);
    };
    check(!signal.aborted, 'train: ended before its first step; nothing was saved');
    const keeping = keeper.pauses(() => trainer.step, save);
    live?.ready({ engine, model, plans, step: () => trainer.step, onModel: trained.on });
    let [done, skipped] = [trainer.step, before?.skipped ?? 0];
    const run = await trainingLoop(trainer, task.batchAt, steps, context, {
      skipped: before?.skipped ?? 0,
      onStep(report, seconds) {
        logbook.step(report, seconds);
        done = report.step + 1;
        if (report.skipped) skipped++;
      },
      pauses: [...(devSet ? [{ every: args.evalEvery, pause: evaluateDev }] : []), ...keeping],
      ended: () => best.outOfPatience,
    }).catch(async (error: unknown) => {
      const lost = (await context.lost?.()) !== undefined;
      if (!args.out || lost || !(error instanceof HeddleError)) throw error;
      throw await saveFailure(files, args.out, logbook, { step: done, skipped }, error);
    });
    const early = best.outOfPatience && trainer.step < steps;
    if (early) log(`ended after step ${trainer.step}: ${args.patience} evaluations in a row were no better`);
    if (best.state) log(describeBest(best.state));
    if (args.out) log(`${lora ? 'adapter' : 'model'} saved in ${args.out}`);
    trained.put(best.weights() ?? (await trained.read()));
    const test = split.test.length ? split.test : split.dev;
    const evaluation =
      args.testSentences > 0 && !signal.aborted
        ? await translateTest(engine, model, test.slice(0, args.testSentences), context)
        : undefined;
    const stopped = trainer.step < steps && !early;
    if (evaluation) {
      const { metrics, samples, seconds } = evaluation;
      logbook.add({ type: 'eval', step: trainer.step, part: 'test', ...metrics, seconds });
      logbook.add({ type: 'samples', step: trainer.step, samples: keptSamples(samples) });
    }
    logbook.add({
      type: 'end',
      time: new Date().toISOString(),
      step: trainer.step,
      reason: early ? 'patience' : stopped ? 'stopped' : 'done',
      skipped: run.skipped,
      ...(best.state && { best: best.state }),
    });
    if (args.out)
      for (const [name, bytes] of Object.entries(logbook.files())) await files.write(`${args.out}/${name}`, bytes);
    return {
      config,
      parameters: parameters.count,
      pairs: corpus.count,
      steps: run.losses.length,
      stopped,
      skipped: run.skipped,
      losses: run.losses,
      trainSeconds: run.seconds,
      tokensPerSecond: run.tokens / run.seconds,
      peakBytes: Math.max(0, ...plans.map((p) => p.bytes.peak)),
      dispatches: Math.max(0, ...plans.slice(0, shapes.length).map((p) => p.passes.length)),
      dev,
      ...(best.state && { best: best.state }),
      ...(evaluation && { evaluation: { ...evaluation.metrics, samples: evaluation.samples } }),
      out: args.out,
      ...(lora && baseFolder && { adapterOf: baseFolder }),
    };
  } finally {
    engine.destroy();
  }
}
