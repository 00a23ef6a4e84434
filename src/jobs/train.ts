// heddle train: text in, a trained model folder out. Corpus, tokenizers, batches, the loop, evaluation, all free of where it runs.

import { createTranslator, type TextModel } from '../decode/translator.ts';
import type { Engine } from '../engine.ts';
import { check, HeddleError } from '../errors.ts';
import { loadModelFolder, saveModelFolder } from '../formats/model-folder.ts';
import { type ModelConfig, type ModelOptions, modelConfig, type PresetName, presets } from '../model/config.ts';
import { type InitScheme, parameterList } from '../model/parameters.ts';
import { type Batches, createBatches } from '../text/batches.ts';
import { trainBpe } from '../text/bpe.ts';
import { batchShapes, chooseBuckets } from '../text/buckets.ts';
import { trainCharacters } from '../text/characters.ts';
import { describeLeftOut, type EncodedCorpus, encodePairs, targetLength } from '../text/encoded.ts';
import type { Pair } from '../text/pairs.ts';
import type { Tokenizer, TokenizerKind } from '../text/tokenizer.ts';
import { trainWords } from '../text/words.ts';
import { checkpointFiles, readTrainingState, restoreOptimizer, type TrainingState } from '../train/checkpoint.ts';
import { type OptimizerConfig, optimizerConfig } from '../train/optimizer.ts';
import { checkSchedule, defaultWarmup, type ScheduleConfig } from '../train/schedule.ts';
import { type Batch, createTrainer, type StepReport, startWeights, type Trainer } from '../train/trainer.ts';
import { type CorpusArguments, readCorpus } from './corpus.ts';
import type { Job, JobContext } from './job.ts';

/** Everything that decides a training; plain JSON. */
export interface TrainArguments {
  readonly corpus: CorpusArguments;
  /** Fraction of source sentences held out for dev, and again for test. */
  readonly heldOut: number;
  readonly preset: PresetName;
  /** Fields of the model that differ from the preset's. */
  readonly model: Partial<ModelOptions>;
  readonly tokenizer: { readonly kind: TokenizerKind; readonly size: number };
  /** Steps in all; or epochs, where steps are 0. */
  readonly steps: number;
  readonly epochs: number;
  /** Sentences a batch; or, where 0, target or source positions a batch. */
  readonly batch: number;
  readonly tokens: number;
  readonly buckets: number;
  readonly accumulate: number;
  readonly optimizer: Partial<OptimizerConfig>;
  readonly schedule: Partial<ScheduleConfig> & Pick<ScheduleConfig, 'learningRate'>;
  readonly seed: number;
  readonly init: InitScheme;
  /** Sentences of the test part that are translated at the end; 0: none. */
  readonly testSentences: number;
  /** Model folder to write; none where empty. */
  readonly out: string;
  /** Also write the folder every so many steps; 0: only at the end. */
  readonly saveEvery: number;
  /** Go on from the checkpoint in `out`, with the settings it was made with; only `steps` and `epochs` may be larger. */
  readonly resume: boolean;
  readonly noFuse: readonly string[];
}

/** A phrase that training never saw, what it should become and what it became. */
export interface Sample {
  readonly source: string;
  readonly reference: string;
  readonly translation: string;
  /** Whether the translation is the reference's normal form, letter by letter. */
  readonly exact: boolean;
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
  readonly evaluation?: {
    readonly sentences: number;
    readonly exactMatch: number;
    readonly samples: readonly Sample[];
  };
  readonly out: string;
}

/** Trains a model. */
export const train: Job<TrainArguments, TrainResult> = async (given, context) => {
  const { emit, signal, files } = context;
  const log = (text: string) => emit({ type: 'log', text });
  const before = given.resume ? await readTrainingState(files, given.out) : undefined;
  const args = before ? resumed(before, given) : given;
  const split = await readCorpus(args.corpus, args.heldOut, context);
  check(split.train.length > 0, 'train: no pairs are left to train on; hold out less');
  const preset: Partial<ModelOptions> = presets[args.preset];
  const options = { ...preset, ...args.model };
  const { source, target } = trainTokenizers(split.train, args, options.tie === 'all');
  const config = modelConfig({
    ...options,
    srcVocab: source.size,
    tgtVocab: target.size,
    padId: target.special.pad,
    startId: target.special.start,
    endId: target.special.end,
  });
  const limits = { maxSource: config.maxLength, maxTarget: config.maxLength };
  const corpus = encodePairs(split.train, source, target, limits);
  check(corpus.count > 0, `train: no pair is left: ${describeLeftOut(corpus)}`);
  if (describeLeftOut(corpus)) log(describeLeftOut(corpus));
  const shapes = batchShapes(
    chooseBuckets(corpus, { count: args.buckets }),
    args.batch > 0 ? { rows: args.batch } : { tokens: args.tokens },
  );
  const batches = createBatches(corpus, shapes, { seed: args.seed });
  const perEpoch = Math.ceil(batches.perEpoch / args.accumulate);
  const steps = args.steps > 0 ? args.steps : perEpoch * args.epochs;
  const kind = args.schedule.kind ?? 'constant';
  const schedule: ScheduleConfig = {
    kind,
    warmup: defaultWarmup(kind, steps),
    floor: 0,
    dModel: config.dModel,
    steps,
    ...args.schedule,
  };
  checkSchedule(schedule);
  const recipe = {
    optimizer: optimizerConfig(args.optimizer),
    schedule,
    seed: args.seed,
    init: args.init,
    accumulate: args.accumulate,
  };
  const parameters = parameterList(config);
  log(
    `${split.train.length} pairs to learn from, vocabularies ${source.size} and ${target.size}, ` +
      `${parameters.count.toLocaleString('en')} parameters, ${steps} steps of ${shapes.map((s) => `${s.batch}x${s.source}x${s.target}`).join(', ')}`,
  );

  // A resumed training takes the kernels it had, so that the same adapter gives the same bits.
  const engine = await context.engine(before && { known: before.choices });
  try {
    log(`training on ${engine.name}`);
    const trainer = await createTrainer(engine, config, recipe, shapes, { noFuse: args.noFuse });
    if (before) {
      const saved = await loadModelFolder(files, args.out);
      engine.write('weights', saved.weights);
      await restoreOptimizer(engine, files, args.out, parameters, recipe.optimizer);
      trainer.step = before.step;
      log(`resumed at step ${before.step}`);
    } else startWeights(engine, config, recipe);
    const model: TextModel = { config, source, target };
    const save = async (skipped: number): Promise<void> => {
      const weights = (await engine.read('weights')).data as Float32Array;
      const state = { step: trainer.step, skipped, arguments: args };
      const extra = await checkpointFiles(engine, parameters, recipe.optimizer, state);
      await saveModelFolder(files, args.out, { ...model, weights }, extra);
    };
    const run = await trainingLoop(trainer, batches, corpus, steps, context, args.out ? args.saveEvery : 0, save);
    if (args.out) {
      await save(run.skipped);
      log(`model saved in ${args.out}`);
    }
    const test = split.test.length ? split.test : split.dev;
    const evaluation =
      args.testSentences > 0 && !signal.aborted
        ? await translateTest(engine, model, test.slice(0, args.testSentences), context)
        : undefined;
    const plans = trainer.programs.flatMap((p) => (p.plan ? [p.plan] : []));
    return {
      config,
      parameters: parameters.count,
      pairs: corpus.count,
      steps: run.losses.length,
      stopped: trainer.step < steps,
      skipped: run.skipped,
      losses: run.losses,
      trainSeconds: run.seconds,
      tokensPerSecond: run.tokens / run.seconds,
      peakBytes: Math.max(0, ...plans.map((p) => p.bytes.peak)),
      dispatches: Math.max(0, ...plans.slice(0, shapes.length).map((p) => p.passes.length)),
      ...(evaluation && { evaluation }),
      out: args.out,
    };
  } finally {
    engine.destroy();
  }
};

/** The arguments that a checkpoint was made with, and from the new ones what may change. */
function resumed(before: TrainingState, given: TrainArguments): TrainArguments {
  const old = before.arguments as TrainArguments;
  const { out, steps, epochs, testSentences, saveEvery } = given;
  return {
    ...old,
    out,
    steps: steps || old.steps,
    epochs: epochs || old.epochs,
    testSentences,
    saveEvery,
    resume: true,
  };
}

/** Tokenizers of the two sides, learnt from the training pairs; one for both where embeddings are shared. */
function trainTokenizers(
  pairs: readonly Pair[],
  { tokenizer: { kind, size } }: TrainArguments,
  shared: boolean,
): { source: Tokenizer; target: Tokenizer } {
  const learn = (texts: readonly string[]): Tokenizer => {
    if (kind === 'word') return trainWords(texts, { size });
    if (kind === 'char') return trainCharacters(texts, { size });
    return trainBpe(texts, { size });
  };
  const [sources, targets] = [pairs.map((p) => p.source), pairs.map((p) => p.target)];
  if (!shared) return { source: learn(sources), target: learn(targets) };
  const both = learn([...sources, ...targets]);
  return { source: both, target: both };
}

interface LoopResult {
  readonly losses: number[];
  readonly skipped: number;
  readonly seconds: number;
  readonly tokens: number;
}

/** Steps until the last one or an abort; losses come back two steps late, and the GPU never waits. */
async function trainingLoop(
  trainer: Trainer,
  batches: Batches,
  corpus: EncodedCorpus,
  steps: number,
  { emit, signal }: JobContext,
  saveEvery: number,
  save: (skipped: number) => Promise<void>,
): Promise<LoopResult> {
  const { accumulate } = trainer.recipe;
  const batchAt = (turn: number): Batch => ({
    shape: batches.shapeAt(turn),
    tokens: batches.rowsAt(turn).reduce((n, row) => n + targetLength(corpus, row), 0),
    fill: (arrays) => batches.fill(turn, arrays),
  });
  const first = trainer.step;
  const losses: number[] = [];
  const pending: Promise<StepReport>[] = [];
  const begin = performance.now();
  let tokens = 0;
  let skipped = 0;
  let told = 0;
  const take = async () => {
    const report = await (pending.shift() as Promise<StepReport>);
    losses.push(report.loss);
    tokens += report.tokens;
    if (report.skipped) skipped++;
    const now = performance.now();
    if (now - told < 200 && first + losses.length < steps) return;
    told = now;
    const seconds = (now - begin) / 1000;
    const left = (seconds / losses.length) * (steps - first - losses.length);
    emit({
      type: 'progress',
      task: 'train',
      done: first + losses.length,
      of: steps,
      text:
        `loss ${report.loss.toFixed(4)}  accuracy ${(100 * report.accuracy).toFixed(1)} %  lr ${report.learningRate.toExponential(2)}  ` +
        `${Math.round(tokens / seconds)} tokens/s  ${Math.ceil(left)} s left${skipped ? `  ${skipped} skipped` : ''}`,
    });
    if (!Number.isFinite(report.loss) && skipped > 20)
      throw new HeddleError(
        `Training diverged: the loss of step ${report.step} is ${report.loss} and ${skipped} updates were skipped; lower the learning rate.`,
      );
  };
  while (trainer.step < steps && !signal.aborted) {
    const turn = trainer.step * accumulate;
    pending.push(trainer.update(Array.from({ length: accumulate }, (_, k) => batchAt(turn + k))));
    if (pending.length > 1) await take();
    if (saveEvery > 0 && trainer.step % saveEvery === 0 && trainer.step < steps) {
      while (pending.length) await take();
      await save(skipped);
    }
  }
  while (pending.length) await take();
  return { losses, skipped, seconds: (performance.now() - begin) / 1000, tokens };
}

/** Translates held-out sentences greedily and counts exact matches. */
async function translateTest(
  engine: Engine,
  model: TextModel,
  pairs: readonly Pair[],
  { emit, signal }: JobContext,
): Promise<NonNullable<TrainResult['evaluation']>> {
  const fits = pairs.filter(({ source }) => model.source.encode(source).length < model.config.maxLength);
  const longest = Math.max(1, ...fits.map(({ source }) => model.source.encode(source).length + 1));
  const longestTarget = Math.max(1, ...fits.map(({ target }) => model.target.encode(target).length + 4));
  const translator = await createTranslator(engine, model, {
    batch: 64,
    maxSource: longest,
    maxTarget: Math.min(model.config.maxLength, longestTarget),
  });
  emit({ type: 'log', text: `translating ${fits.length} sentences that were never seen` });
  const translations = await translator.translate(
    fits.map((p) => p.source),
    { signal },
  );
  const samples = fits.map(({ source, target }, i) => ({
    source,
    reference: target,
    translation: translations[i] ?? '',
    exact: translations[i] === model.target.normalize(target),
  }));
  const exact = samples.filter((s) => s.exact).length;
  return { sentences: fits.length, exactMatch: exact / Math.max(1, fits.length), samples };
}
