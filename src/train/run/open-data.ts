// The data of a training: reads the corpus, trains or reads its tokenizers, encodes the pairs and opens the batches; or
// reads the token ids that an earlier session cached.

import { check, HeddleError } from '../../core/errors.ts';
import { type Message, msg, option } from '../../core/message.ts';
import { type Pace, runPaced } from '../../core/steps.ts';
import { readInput } from '../../files/read-input.ts';
import type { SavedModel } from '../../formats/shared/saved-model.ts';
import { decoderSelfAttention } from '../../model/sublayers.ts';
import { createPace } from '../../session/job-pace.ts';
import type { TrainingSource } from '../../session/training-source.ts';
import type { EncodedCorpus } from '../../text/batches/encoded-corpus.ts';
import { corpusWarnings } from '../../text/corpus/corpus-warnings.ts';
import { nameOfPairs, type PairFiles } from '../../text/corpus/pair-files.ts';
import type { Fingerprint, Pair, PairList } from '../../text/corpus/pairs.ts';
import { readTokenizerFile, type TokenizerFileOptions } from '../../text/load-tokenizer.ts';
import { maxSentencePiece } from '../../text/sentencepiece/sentencepiece-model.ts';
import { openTextPool, type TextPool } from '../../text/text-pool.ts';
import type { Tokenizer } from '../../text/tokenizers/tokenizer.ts';
import { type CacheProblem, removeCacheFile } from '../data/cache-file.ts';
import type { CorpusSession, LoadedCorpus, ReadCorpus } from '../data/corpus-arguments.ts';
import { corpusFiles, keepsPairs, loadCorpus, openCorpusPool } from '../data/load-corpus.ts';
import type { TokenizerPair } from '../data/new-model.ts';
import { tokenCachePath } from '../data/run-files.ts';
import { textSource } from '../data/text-source.ts';
import { hashCorpus, type PreparedCorpus, TokenCache } from '../data/token-cache.ts';
import { type OpenSteps, prepareTrainingData, type TrainingData } from '../data/training-data.ts';
import type { CompleteArguments } from '../settings/train-arguments.ts';
import { hasStages, type Recipe } from '../settings/training-recipe.ts';
import type { OpenCheckpoint } from './open-checkpoint.ts';
import type { TrainInputs } from './train-result.ts';

/** The data of a run. */
export interface RunData extends Omit<PreparedCorpus, 'corpus'> {
  readonly data: TrainingData;
  /** Further files of the model folder. */
  readonly keep: Readonly<Record<string, Uint8Array>>;
  /** What is worth a message. */
  readonly facts: DataFacts;
  /** Caches the encoded pairs beside the model folder, once. Throws a HeddleError if that fails. */
  cache(): Promise<void>;
}

/** What the data of a run are like, for messages. */
export interface DataFacts {
  /** The cache of token ids, if there is one that cannot be used, and why. */
  readonly unusableCache?: { readonly path: string; readonly problem: CacheProblem };
  /** What is suspicious about the pairs, each a sentence. */
  readonly warnings: readonly Message[];
  /** Fingerprint at the start of the run, if it differs because the built-in corpus has another version. */
  readonly otherVersion?: Fingerprint;
}

/** What the data are opened from, besides the recipe. */
export interface DataInputs extends Pick<TrainInputs, 'split' | 'sourceData'> {
  /** The checkpoint to resume. */
  readonly checkpoint?: OpenCheckpoint;
  /** The model to resume or fine-tune. */
  readonly start?: SavedModel;
}

/** Number of training pairs that stay in memory as text. */
const exampleCount = 8;

/** The pairs of a run before they are batches. */
interface RunPairs extends Omit<PreparedCorpus, 'corpus' | 'fingerprint'>, Pick<RunData, 'keep'> {
  /** The training pairs: texts, or token ids from the cache. */
  readonly train: PairList | EncodedCorpus;
  readonly fingerprint: Promise<Fingerprint>;
  /** Tokenizers of files. */
  readonly tokenizers: Partial<TokenizerPair>;
  readonly warnings: readonly Message[];
}

/** Opens the data of a recipe. Throws a HeddleError that names the file or the setting. */
export async function openData(recipe: Recipe, session: CorpusSession, inputs: DataInputs): Promise<RunData> {
  const { args, dataSteps, needsTexts } = recipe;
  const { split: given, checkpoint, start } = inputs;
  const files = given ? undefined : trainFiles(args);
  for (const step of dataSteps) step.check?.(files);
  const source = openSource(recipe, session, inputs);
  const pace = createPace(session);
  const cache = given || !source.isText || needsTexts ? undefined : await openCache(recipe, session, pace);
  const cached = checkpoint && start && (await cache?.read(start, pace));
  const isCached = typeof cached === 'object';
  const pool = isCached
    ? await openTextPool(() => undefined)
    : await openCorpusPool(args.corpus, session, given?.train.length);
  try {
    const pairs = isCached ? pairsOfCache(cached) : await readPairs(recipe, session, inputs, source, pool);
    const { train, tokenizers, keep, warnings, fingerprint: hashing, ...sets } = pairs;
    const before = checkpoint?.state.data;
    const comparing = hashing.then((fingerprint) => ({
      fingerprint,
      otherVersion: checkPairs(before, fingerprint, args),
    }));
    // Compare the pairs with the checkpoint before they are tokenized.
    if (before || !pool.parallel) await comparing;
    const openSteps = stepsOf(recipe, session, sets.fileSizes);
    const options = { ...recipe.data, tokenizers };
    const [{ fingerprint, otherVersion }, data] = await Promise.all([
      comparing,
      prepareTrainingData(train, options, { known: start, pool, source, openSteps }),
    ]);
    const prepared: PreparedCorpus = { ...sets, corpus: data.corpus, fingerprint };
    const unusableCache = cache && cached && !isCached ? { path: cache.path, problem: cached } : undefined;
    return {
      ...prepared,
      data,
      keep,
      facts: { warnings, otherVersion, unusableCache },
      async cache() {
        if (!source.isText) await source.write?.();
        else if (!isCached) await cache?.write(data, prepared);
      },
    };
  } finally {
    pool.close();
  }
}

/** The pairs of a resumed run whose token ids are cached. */
const pairsOfCache = ({ corpus, fingerprint, ...sets }: PreparedCorpus): RunPairs => ({
  ...sets,
  train: corpus,
  fingerprint: Promise.resolve(fingerprint),
  keep: {},
  tokenizers: {},
  warnings: [],
});

/** The sources of a training: texts, or those of a guest. */
function openSource(
  { args, data, sourceKind }: Recipe,
  session: CorpusSession,
  { start, sourceData }: DataInputs,
): TrainingSource {
  const { heldOut, out } = args;
  if (!sourceKind) return textSource;
  return sourceKind.open({
    settings: args,
    model: data.model,
    start,
    corpus: corpusFiles(args.corpus),
    hasStages: hasStages(args),
    heldOut,
    out,
    sourceData,
    session,
  });
}

/** Files of the training pairs; undefined without files, and if a copy of them is in the model folder. */
const trainFiles = ({ corpus }: CompleteArguments): PairFiles | undefined =>
  keepsPairs(corpus) ? undefined : corpusFiles(corpus)?.train;

/** Opens the steps of the data of a recipe; `fileSizes`: number of training pairs of each file. */
function stepsOf(
  { args, dataSteps }: Recipe,
  { files, features, emit, threads }: CorpusSession,
  fileSizes: readonly number[] | undefined,
): OpenSteps {
  const { corpus } = args;
  return async (plain, { source, target, pairs, pool }) => {
    const context = {
      settings: args,
      seed: args.seed,
      source,
      target,
      pairs,
      train: trainFiles(args),
      fileSizes,
      readers: features.pairReaders,
      stages: corpus.kind === 'files' ? corpus.stages : undefined,
      files,
      pool,
      // The threads that make batches work as long as the run; they end with it, not with an abort.
      openPool: () => openTextPool(() => undefined, threads),
      message: (text: Message) => emit({ type: 'message', text }),
    };
    let batches = plain;
    for (const step of dataSteps) batches = await step.open(batches, context);
    return batches;
  };
}

/**
 * Reads the pairs of a run: those of the caller, of its kind of source, or of the corpus; and the tokenizers in its
 * settings. Throws a HeddleError without any pair.
 */
async function readPairs(
  { args, data }: Recipe,
  session: CorpusSession,
  { split: given, checkpoint, start }: DataInputs,
  source: TrainingSource,
  pool: TextPool,
): Promise<RunPairs> {
  const ofSource = given ?? (await source.read());
  const { split, keep }: LoadedCorpus = ofSource
    ? { split: ofSource, keep: {} }
    : await loadCorpus(args.corpus, { heldOut: args.heldOut, session, from: checkpoint, pool });
  const { train, dev, test, fileSizes } = split;
  check(train.length + dev.length + test.length > 0, 'there are no pairs', { area: 'train' });
  check(train.length > 0, msg`no pairs are left to train on; reduce ${option('heldOut')}`, { area: 'train' });
  const compared = comparedSets(split, args, given !== undefined);
  const warnings = await runPaced(corpusWarnings(compared), createPace(session));
  const noStart = decoderSelfAttention(data.model).startsWithoutToken;
  const tokenizers = start ? {} : await givenTokenizers(args, session, { noStart });
  const examples = Array.from(
    { length: Math.min(exampleCount, train.length) },
    (_, i) => train.at(i) as Pair,
  );
  const fingerprint = source.fingerprint(train, pool);
  return { train, fingerprint, examples, dev, test, fileSizes, keep, tokenizers, warnings };
}

/** The sets that are compared for warnings: the pairs that are held out have other sources than the training pairs. */
function comparedSets({ train, dev, test }: ReadCorpus, { corpus }: CompleteArguments, isGiven: boolean) {
  const { dev: ownDev, test: ownTest } = corpusFiles(corpus) ?? {};
  return { train, dev: isGiven || ownDev ? dev : [], test: isGiven || ownTest ? test : [] };
}

/** The cache of the token ids; undefined without a model folder, or if the corpus has no hash (`hashCorpus`). */
async function openCache(
  { args, data }: Recipe,
  { files }: CorpusSession,
  pace: Pace,
): Promise<TokenCache | undefined> {
  const { corpus, heldOut, out } = args;
  if (!out || !corpusFiles(corpus)) return undefined;
  if (!args.keepTokens) {
    await removeCacheFile(files, tokenCachePath(out));
    return undefined;
  }
  const hash = await hashCorpus(corpus, heldOut, files, pace);
  return hash === undefined ? undefined : new TokenCache(files, out, hash, data);
}

/** Reads the tokenizer files in the settings. Throws a HeddleError that names the file or the setting. */
async function givenTokenizers(
  { tokenizerFile, sourceTokenizer, targetTokenizer, lowercase }: CompleteArguments,
  { files }: CorpusSession,
  options: TokenizerFileOptions,
): Promise<Partial<TokenizerPair>> {
  const read = async (path: string | undefined): Promise<Tokenizer | undefined> => {
    if (path === undefined) return undefined;
    check(!lowercase, msg`${path} determines whether text is lowercased; omit ${option('lowercase')}`, {
      area: 'train',
    });
    return readTokenizerFile(await readInput(files, path, maxSentencePiece), path, options);
  };
  const both = await read(tokenizerFile);
  if (both) return { source: both, target: both };
  const source = await read(sourceTokenizer);
  return { source, target: targetTokenizer === sourceTokenizer ? source : await read(targetTokenizer) };
}

/**
 * Compares the pairs with those at the start of the run; `before` is undefined in checkpoints of older versions. Throws
 * a HeddleError if the file has changed. Returns the fingerprint before if only the version of the built-in corpus
 * differs (Unicode CLDR): a browser that was updated cannot return to it.
 */
function checkPairs(
  before: Fingerprint | undefined,
  now: Fingerprint,
  { corpus, out }: CompleteArguments,
): Fingerprint | undefined {
  if (!before || (before.pairs === now.pairs && before.hash === now.hash)) return undefined;
  const { train } = corpusFiles(corpus) ?? {};
  if (train)
    throw new HeddleError(
      msg`${changedPairs(before, now)}; restore the file, or fine-tune the model in ${out} on these pairs (${option('init')})`,
      { area: nameOfPairs(train) },
    );
  return before;
}

/** That the pairs of a run differ from those at its start. */
export const changedPairs = (before: Fingerprint, now: Fingerprint): Message =>
  before.pairs === now.pairs
    ? msg`these are not the pairs that the run started with (training pairs: both ${now.pairs})`
    : msg`these are not the pairs that the run started with (training pairs: ${before.pairs} then, ${now.pairs} now)`;
