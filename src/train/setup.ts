// Setup of a training run before a device is opened: its arguments, also those of a checkpoint, its data, its initial
// model.

import { check, HeddleError } from '../core/errors.ts';
import { shellQuote } from '../core/shell.ts';
import type { Files } from '../files/files.ts';
import { hfFamilies } from '../formats/hf/hf-fields.ts';
import { withLanguages } from '../formats/hf/languages.ts';
import { loadModelFolder } from '../formats/model-folder.ts';
import type { HfType } from '../formats/shared/model-formats.ts';
import { hfConfigOf, retrainedCheckpoint, type SavedModel } from '../formats/shared/saved-model.ts';
import { checkRewriteNames } from '../graph/rewrites.ts';
import type { InitScheme } from '../model/initialize-weights.ts';
import { loraConfig } from '../model/lora.ts';
import { type ModelOptions, modelConfig } from '../model/model-config.ts';
import type { ParameterList } from '../model/parameter-layout.ts';
import { parameterList } from '../model/parameters.ts';
import { presets } from '../model/presets.ts';
import { createPace } from '../runtime/job-pace.ts';
import {
  type CorpusContext,
  corpusFiles,
  nameOfPairs,
  openCorpusPool,
  readKeptCorpus,
} from '../runtime/load-corpus.ts';
import { openModel } from '../runtime/open-model.ts';
import { describeLeftOut, describeUnknown } from '../text/batches/encoded-corpus.ts';
import { chunksOf } from '../text/corpus/packed-pairs.ts';
import type { Fingerprint, Pair, PairList } from '../text/corpus/pairs.ts';
import type { TextPool } from '../text/text-pool.ts';
import { readTokenizerFile } from '../text/tokenizer-file.ts';
import type { Tokenizer } from '../text/tokenizers/tokenizer.ts';
import { type OptimizerConfig, optimizerConfig } from '../trainer/optimizer-config.ts';
import { scaling } from '../trainer/precision.ts';
import { fallsTo, type ScheduleConfig, scheduleConfig } from '../trainer/schedule.ts';
import type { Recipe } from '../trainer/trainer.ts';
import {
  encodeOptionsOf,
  prepareTrainingData,
  type TrainingData,
  type TrainingDataOptions,
  updatesIn,
} from '../trainer/training-data.ts';
import { readTrainingState, type TrainingState } from '../trainer/training-state.ts';
import { checkChanges } from './live-run.ts';
import { corpusName, shapeName } from './logging.ts';
import { type CompleteSettings, completeSettings, hasPackedBatches, initFolder, recipeFor } from './recipes.ts';
import { resumeArguments } from './resume-arguments.ts';
import { checkBest } from './selection.ts';
import {
  cacheKey,
  hashCorpus,
  type PreparedCorpus,
  readTokenCache,
  tokenCachePath,
  writeTokenCache,
} from './token-cache.ts';
import type { CheckpointFolder, CompleteArguments, TrainArguments, TrainInputs } from './train-arguments.ts';

/** A training run before its first step. */
export interface Setup {
  readonly args: CompleteArguments;
  /** Checkpoint that it resumes from, if it does, and the state in it. */
  readonly from: CheckpointFolder | undefined;
  readonly before: TrainingState | undefined;
  /** The model that is fine-tuned or resumed. */
  readonly start: SavedModel | undefined;
  /** The first training pairs, and the held-out ones. */
  readonly examples: readonly Pair[];
  readonly dev: PairList;
  readonly test: PairList;
  /** Further files of the model folder. */
  readonly keep: Readonly<Record<string, Uint8Array>>;
  /** Fingerprint of the training pairs. */
  readonly data: Fingerprint;
  readonly task: TrainingData;
  readonly parameters: ParameterList;
  readonly recipe: Recipe;
  /** Updates in total, and per epoch. */
  readonly steps: number;
  readonly perEpoch: number;
  /** Keeps the token ids beside the model folder, if they are not there yet; a failure is a warning. */
  cacheTokens(): Promise<void>;
}

/** The part of a job context that the setup uses. */
export type SetupContext = CorpusContext;

/** Prepares a run from its start or a checkpoint. Throws a HeddleError that names the option or the file. */
export async function setUp(
  given: TrainArguments,
  context: SetupContext,
  from: CheckpointFolder | undefined,
  inputs: TrainInputs = {},
): Promise<Setup> {
  const log = (text: string) => context.emit({ type: 'message', text });
  const before = from && (await readTrainingState(from.files, from.folder));
  const args = before ? resumeArguments(before, given, log) : completeArguments(given);
  checkRewriteNames(args.noFuse);
  checkBest(args);
  const start = await initialModel(args, context, from, inputs.model);
  const prepared = await prepareCorpus(args, context, from, before, start, inputs.split);
  const { task, keep, data, examples, dev, test, cacheTokens } = prepared;
  const { config, source, target, corpus, shapes, batches } = task;
  if (describeLeftOut(corpus)) log(describeLeftOut(corpus));
  if (!before && hasPackedBatches(given))
    log(
      `batches of at most ${args.maxTokens} tokens, ${args.gradientAccumulationSteps} per update, save memory as ${args.weights} weights do; ` +
        '--batch-size or --max-tokens, and --gradient-accumulation-steps change that',
    );
  const updates = (epochs: number) => updatesIn(epochs, batches.perEpoch, args.gradientAccumulationSteps);
  const steps = args.steps ?? updates(args.epochs ?? 1);
  const schedule = scheduleConfig(scheduleOf(args), { steps, dModel: config.dModel });
  const recipe: Recipe = {
    optimizer: optimizerConfig(optimizerOf(args)),
    schedule,
    seed: args.seed,
    init: initFolder(args) === undefined ? (args.init as InitScheme) : 'xavier',
    gradientAccumulationSteps: args.gradientAccumulationSteps,
  };
  const parameters = parameterList(config);
  const unknown = describeUnknown(corpus);
  log(
    `${corpus.count} training pairs, vocabularies of ${source.size} and ${target.size} tokens, ` +
      `${parameters.count.toLocaleString('en')} parameters, ${steps} steps of ${shapes.map(shapeName).join(', ')}; ` +
      unknown.text,
  );
  if (unknown.many)
    context.emit({
      type: 'warning',
      text: `more than 2 % ${unknown.text}; use a larger --vocab-size, or --tokenizer bpe`,
    });
  if (schedule.warmupSteps >= steps)
    log(
      `the warm-up of ${schedule.warmupSteps} steps is longer than the run of ${steps}: the learning rate never reaches ${schedule.learningRate}; ` +
        'lower --warmup-steps or raise --steps',
    );
  const moved = before?.schedule && movedEnd(before.schedule, schedule);
  if (moved) log(moved);
  const run = { args, from, before, start, examples, dev, test, keep, data, task, parameters, recipe, steps };
  checkChanges(run, log);
  return { ...run, perEpoch: updates(1), cacheTokens };
}

/** Number of training pairs that are kept as text. */
const exampleCount = 8;

type TextPart = Pick<Setup, 'examples' | 'dev' | 'test' | 'data' | 'task' | 'keep' | 'cacheTokens'>;

/** Reads and tokenizes the corpus, or takes the token ids of an earlier session. */
async function prepareCorpus(
  args: CompleteArguments,
  context: SetupContext,
  from: CheckpointFolder | undefined,
  before: TrainingState | undefined,
  start: SavedModel | undefined,
  given: TrainInputs['split'],
): Promise<TextPart> {
  const { corpus, heldOut, out } = args;
  const { files } = context;
  const pace = createPace(context);
  const options = dataOptions(args);
  const path = tokenCachePath(out);
  const hash = given || !out ? undefined : await hashCorpus(corpus, heldOut, files, pace);
  const key = (task: Pick<TrainingData, 'config' | 'source' | 'target'>) =>
    hash && cacheKey(hash, task, encodeOptionsOf(task.config, options));
  const known = from && start && (await key(start));
  const cached = known && (await readTokenCache(files, path, known, pace));
  if (typeof cached === 'object') {
    checkPairs(before?.data, cached.data, args, context);
    const task = await prepareTrainingData(cached.corpus, options, start);
    return { ...cached, task, keep: {}, cacheTokens: async () => undefined };
  }
  if (cached) context.emit({ type: 'message', text: `${path}: ${cached}; tokenizing again` });
  const pool = await openCorpusPool(corpus, context, given?.train.length);
  try {
    const { split, keep } = given
      ? { split: given, keep: {} }
      : await readKeptCorpus(corpus, heldOut, context, from, pool);
    const { train, dev, test } = split;
    check(train.length > 0, 'train: no pairs are left to train on; reduce heldOut');
    const hashing = pool.run({ name: 'hash', args: undefined, chunks: chunksOf(train), threads: 1 });
    const checked = hashing.then(([data]) => {
      checkPairs(before?.data, data as Fingerprint, args, context);
      return data as Fingerprint;
    });
    // A resumed run is refused before its pairs are tokenized.
    if (before || !pool.parallel) await checked;
    const [data, task] = await Promise.all([checked, prepareText(train, args, options, start, context, pool)]);
    const examples = Array.from({ length: Math.min(exampleCount, train.length) }, (_, i) => train.at(i) as Pair);
    const prepared: PreparedCorpus = { corpus: task.corpus, data, examples, dev, test };
    let pending = hash !== undefined;
    const cacheTokens = async () => {
      if (!pending) return;
      pending = false;
      try {
        await writeTokenCache(files, path, (await key(task)) as string, prepared);
      } catch (error) {
        if (!(error instanceof HeddleError)) throw error;
        context.emit({
          type: 'warning',
          text: `the token ids are not kept, so a resumed run tokenizes again: ${error.message}`,
        });
      }
    };
    return { ...prepared, task, keep, cacheTokens };
  } finally {
    pool.close();
  }
}

/** Tokenizes the training pairs with the tokenizers of the model, of files, or new ones. */
async function prepareText(
  train: PairList,
  args: CompleteArguments,
  options: TrainingDataOptions,
  start: SavedModel | undefined,
  { files }: SetupContext,
  pool: TextPool,
): Promise<TrainingData> {
  const tokenizers = start ? {} : await givenTokenizers(args, files);
  return prepareTrainingData(train, { ...options, tokenizers }, start, pool);
}

/** The arguments of a new run with all defaults. */
function completeArguments({ corpus, out = '', resume = false, ...given }: TrainArguments): CompleteArguments {
  const complete = completeSettings(given, recipeFor(corpus.kind));
  const folder = initFolder(complete);
  for (const option of ['sourceLang', 'targetLang'] as const)
    check(
      complete[option] === undefined || folder !== undefined,
      `train: ${option} (${complete[option]}) needs a multilingual model; name its folder with init (--init DIR)`,
    );
  check(
    !complete.lora || !complete.freeze,
    `train: freeze (${complete.freeze?.join(' ')}) does not go with lora, which freezes all weights; leave it out`,
  );
  check(
    !complete.lora || folder !== undefined,
    'train: lora needs a trained model; name its folder with init (--init DIR)',
  );
  check(
    complete.lora || (complete.weights ?? 'f32') === 'f32',
    `train: weights as ${complete.weights} are not trained; train a LoRA adapter with lora.rank (--lora-rank N)`,
  );
  return { ...complete, ...(complete.lora && { lora: loraConfig(complete.lora) }), corpus, out, resume };
}

/** Options of the tokenizers, the model configuration and the batches. */
export function dataOptions(s: CompleteSettings): TrainingDataOptions {
  const { norm, dropout, labelSmoothing, lowercase, fillVocab, batchSize = 0, maxTokens = 0, buckets, seed } = s;
  const { maxLength, truncate } = s;
  const preset: Partial<ModelOptions> = presets[s.preset];
  return {
    model: {
      ...preset,
      ...(norm !== undefined && { norm }),
      ...(dropout !== undefined && { dropout }),
      ...(labelSmoothing !== undefined && { labelSmoothing }),
      ...(maxLength !== undefined && { maxLength }),
      ...s.model,
    },
    tokenizer: {
      kind: s.tokenizer,
      size: s.vocabSize,
      lowercase,
      ...(fillVocab && { fill: true }),
    },
    maxLength,
    truncate,
    batchSize,
    maxTokens,
    buckets,
    seed,
  };
}

/** The optimizer in the settings; what is left out has the defaults of `optimizerConfig`. */
export function optimizerOf(s: CompleteSettings): Partial<OptimizerConfig> {
  const { betas, weightDecay, eps, momentum, rho, clipNorm, emaDecay, lossScaleGrowth } = s;
  const given = {
    weightDecay,
    beta1: betas?.[0],
    beta2: betas?.[1],
    eps,
    momentum,
    rho,
    clipNorm,
    emaDecay,
    lossScaleGrowth,
  };
  return { kind: s.optimizer, ...scaling(s.precision), ...withoutUndefined(given) };
}

function scheduleOf(s: CompleteSettings): Partial<ScheduleConfig> & Pick<ScheduleConfig, 'learningRate'> {
  const { schedule: kind, learningRate, warmupSteps, scheduleSteps: steps, minLearningRate } = s;
  return { kind, learningRate, ...withoutUndefined({ warmupSteps, steps, minLearningRate }) };
}

const withoutUndefined = (fields: Record<string, number | undefined>): Record<string, number> =>
  Object.fromEntries(Object.entries(fields).filter((field): field is [string, number] => field[1] !== undefined));

/** The tokenizers in the files that the settings name. Throws a HeddleError that names the file or the setting. */
async function givenTokenizers(
  { tokenizerFile, sourceTokenizer, targetTokenizer, lowercase }: CompleteArguments,
  files: Files,
): Promise<NonNullable<TrainingDataOptions['tokenizers']>> {
  const read = async (path: string | undefined): Promise<Tokenizer | undefined> => {
    if (path === undefined) return undefined;
    check(!lowercase, `train: ${path} says itself whether it lowercases; leave out lowercase (--lowercase)`);
    return readTokenizerFile(await files.read(path), path);
  };
  const both = await read(tokenizerFile);
  if (both) return { source: both, target: both };
  const source = await read(sourceTokenizer);
  return { source, target: targetTokenizer === sourceTokenizer ? source : await read(targetTokenizer) };
}

/** Settings of the model that fine-tuning may change. */
const changeable = ['dropout', 'labelSmoothing'] as const;

/**
 * The model to continue: that of the checkpoint, or of the folder in `init` with new dropout and label smoothing;
 * undefined if there is none. A resumed run takes configuration and tokenizers from its checkpoint, since trained again
 * they may differ at the same size; a checkpoint of a LoRA adapter has no model, so that comes from `init` again.
 * Throws a HeddleError for fields that the model has decided.
 */
async function initialModel(
  args: CompleteArguments,
  context: SetupContext,
  checkpoint: CheckpointFolder | undefined,
  given: SavedModel | undefined,
): Promise<SavedModel | undefined> {
  if (checkpoint && !args.lora) return loadModelFolder(checkpoint.files, checkpoint.folder);
  const folder = initFolder(args);
  if (folder === undefined) return undefined;
  const { dropout, labelSmoothing, model } = args;
  const fields = {
    ...(dropout !== undefined && { dropout }),
    ...(labelSmoothing !== undefined && { labelSmoothing }),
    ...model,
  };
  const fixed = Object.keys(fields).filter((field) => !(changeable as readonly string[]).includes(field));
  if (fixed.length > 0)
    throw new HeddleError(
      `train: the model in ${folder} has its own ${fixed.join(', ')}; only ${changeable.join(' and ')} may be set`,
    );
  const { sourceLang, targetLang } = args;
  const languages = { sourceLang, targetLang };
  // Weights under an adapter that are not f32 are quantized as they are read.
  const inParts = args.lora !== undefined && (args.weights ?? 'f32') !== 'f32';
  const found = given
    ? withLanguages(given, languages)
    : await openModel(folder, context, undefined, languages, inParts);
  const { sourceCheckpoint, config } = found;
  const hf = hfConfigOf(found);
  for (const field of ['encoder_layerdrop', 'decoder_layerdrop'])
    if (hf?.[field])
      throw new HeddleError(`${folder}: ${field} is ${hf[field]}; training with layer dropout is not supported`);
  check(
    checkpoint || (args.maxLength ?? 0) <= config.maxLength,
    `train: maxLength (${args.maxLength}) is above the ${config.maxLength} positions of the model in ${folder}; lower --max-length`,
  );
  const { dropout: places } = modelConfig({ ...config, ...fields });
  // T5 has one rate, for all places.
  const type = hf?.model_type as HfType | undefined;
  const isT5 = type !== undefined && hfFamilies[type].like === 't5';
  const rates = isT5 && typeof fields.dropout === 'number' && { memory: fields.dropout, output: fields.dropout };
  return {
    ...found,
    config: modelConfig({ ...config, ...fields, dropout: { ...places, ...rates } }),
    ...(sourceCheckpoint && { sourceCheckpoint: retrainedCheckpoint(sourceCheckpoint) }),
  };
}

/**
 * Compares pairs with those that a run started with, which a checkpoint of an older version does not know. Throws a
 * HeddleError if the file has changed; only warns of another version of Unicode CLDR, since a browser that was updated
 * cannot go back.
 */
function checkPairs(
  before: Fingerprint | undefined,
  now: Fingerprint,
  { corpus, out }: CompleteArguments,
  context: SetupContext,
): void {
  if (!before || (before.pairs === now.pairs && before.hash === now.hash)) return;
  const counts = before.pairs === now.pairs ? `both ${now.pairs}` : `${before.pairs} then, ${now.pairs} now`;
  const changed = `these are not the pairs that the run started with (training pairs: ${counts})`;
  const { train } = corpusFiles(corpus) ?? {};
  if (train)
    throw new HeddleError(
      `${nameOfPairs(train)}: ${changed}; restore the file, or give its path: heddle train FILE --resume --out ${shellQuote(out)}, ` +
        `or fine-tune the model on these pairs: heddle train FILE --init ${shellQuote(out)}`,
    );
  const text = `${corpusName(corpus)}: ${changed}, because its version differs; the run continues, but its bits differ from an uninterrupted run`;
  context.emit({ type: 'warning', text });
}

/**
 * A message if a schedule that falls to the last step now ends at another step, so that the bits differ from an
 * uninterrupted run.
 */
function movedEnd(before: ScheduleConfig, now: ScheduleConfig): string | undefined {
  const [then, end] = [fallsTo(before), fallsTo(now)];
  if (then === undefined || then === end) return undefined;
  return (
    `the ${now.kind} schedule now ends at step ${end}, before it was ${then}: the bits differ from an uninterrupted run of ${end} steps; ` +
    `to avoid that start with --schedule-steps ${end}`
  );
}
