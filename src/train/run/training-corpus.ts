// Reads the corpus of a run, trains or reads its tokenizers and encodes the pairs; or reads the token ids
// that an earlier session cached.

import { check, HeddleError } from '../../core/errors.ts';
import { type Pace, runPaced } from '../../core/steps.ts';
import type { FrameCorpus } from '../../features/speech/train/frame-corpus.ts';
import type { Files } from '../../files/files.ts';
import type { SavedModel } from '../../formats/shared/saved-model.ts';
import { createPace } from '../../session/job-pace.ts';
import { chunksOf } from '../../text/corpus/packed-pairs.ts';
import { nameOfPairs, pathsOf } from '../../text/corpus/pair-files.ts';
import type { Fingerprint, Pair } from '../../text/corpus/pairs.ts';
import type { TokenizerFileOptions } from '../../text/load-tokenizer.ts';
import { openTextPool } from '../../text/text-pool.ts';
import type { Tokenizer } from '../../text/tokenizers/tokenizer.ts';
import type { CorpusArguments, CorpusSession, ReadCorpus } from '../data/load-corpus.ts';
import { corpusFiles, corpusName, openCorpusPool, readKeptCorpus } from '../data/load-corpus.ts';
import { dataOptions } from '../settings/recipe-options.ts';
import type { CompleteArguments } from '../settings/train-arguments.ts';
import type { TrainingData, TrainingDataOptions } from '../update/training-data.ts';
import { prepareTrainingData } from '../update/training-data.ts';
import type { TrainingState } from '../update/training-state.ts';
import type { PreparedCorpus, TokenCache } from './token-cache.ts';
import type { CheckpointFolder, TrainInputs } from './train-result.ts';

/** Training pairs as token ids, with tokenizers and model configuration, and the pairs for evaluation. */
export interface CorpusSetup extends Omit<PreparedCorpus, 'corpus'> {
  /** Further files of the model folder. */
  readonly keep: Readonly<Record<string, Uint8Array>>;
  readonly data: TrainingData;
  /** Caches the token ids next to the model folder, once; a failure is a warning. */
  cacheTokens(): Promise<void>;
}

/** Number of training pairs that stay in memory as text. */
const exampleCount = 8;

/**
 * Reads and tokenizes the corpus, or reads its cached token ids. `from`, `before`: the checkpoint to resume
 * and its training state; `start`: the model to resume or fine-tune; `inputs`: pairs to use instead of the
 * corpus, and their clips.
 */
export async function prepareCorpus(
  args: CompleteArguments,
  session: CorpusSession,
  from: CheckpointFolder | undefined,
  before: TrainingState | undefined,
  start: SavedModel | undefined,
  { split: given, clips }: Pick<TrainInputs, 'split' | 'clips'>,
): Promise<CorpusSetup> {
  const { corpus, heldOut } = args;
  const { files } = session;
  const pace = createPace(session);
  // The threads that draw batches work as long as the run; they end with it, not with an abort.
  const openPool = () => openTextPool(() => undefined, session.threads);
  const readLinks = await linksOf(args, session, given !== undefined);
  const options = { ...dataOptions(args), openPool, readLinks };
  const frames =
    (start?.config.source ?? options.model.source) === 'frames'
      ? new (await import('../../features/speech/train/frame-corpus.ts')).FrameCorpus(
          args,
          options,
          session,
          start,
          clips,
        )
      : undefined;
  // The cache has no texts, which alignments are found by.
  const cache = given || frames || readLinks ? undefined : await openCache(args, files, options, pace);
  const cached = from && start && (await cache?.read(start, pace));
  if (typeof cached === 'object') {
    checkPairs(before?.data, cached.fingerprint, args, session);
    const mixture = mixtureOf(corpus, cached.fileSizes);
    const data = await prepareTrainingData(cached.corpus, { ...options, mixture }, start);
    return { ...cached, data, keep: {}, cacheTokens: async () => undefined };
  }
  if (cached) session.emit({ type: 'message', text: `${cache?.path}: ${cached}; tokenizing again` });
  const pool = await openCorpusPool(corpus, session, given?.train.length);
  try {
    const { split, keep } = given
      ? { split: given as ReadCorpus, keep: {} }
      : ((await readClips(frames)) ?? (await readKeptCorpus(corpus, heldOut, session, from, pool)));
    const { train, dev, test, fileSizes } = split;
    const isEmpty = train.length + dev.length + test.length === 0;
    check(!isEmpty, 'train: there are no pairs');
    check(train.length > 0, 'train: no pairs are left to train on; reduce heldOut');
    // The pairs that are held out have other sources than the training pairs.
    const { dev: ownDev, test: ownTest } = corpusFiles(corpus) ?? {};
    const compared = { train, dev: given || ownDev ? dev : [], test: given || ownTest ? test : [] };
    const { corpusWarnings } = await import('./data-check.ts');
    for (const text of await runPaced(corpusWarnings(compared), pace))
      session.emit({ type: 'warning', text });
    const noStart = options.model.decoderSelfAttention === 'ssru';
    const tokenizers = start ? {} : await givenTokenizers(args, files, { noStart });
    const hashing = pool.run({ name: 'hash', args: undefined, chunks: chunksOf(train), threads: 1 });
    const checked = hashing.then(([hashed]) => {
      const fingerprint = frames?.fingerprint(train) ?? (hashed as Fingerprint);
      checkPairs(before?.data, fingerprint, args, session);
      return fingerprint;
    });
    // Compare the pairs with the checkpoint before they are tokenized.
    if (before || !pool.parallel) await checked;
    const mixture = mixtureOf(corpus, fileSizes);
    const dataAndTokenizers = { ...options, tokenizers, mixture };
    const preparing = prepareTrainingData(train, dataAndTokenizers, start, pool, frames?.encoder);
    const [fingerprint, data] = await Promise.all([checked, preparing]);
    const examples = Array.from(
      { length: Math.min(exampleCount, train.length) },
      (_, i) => train.at(i) as Pair,
    );
    const prepared: PreparedCorpus = { corpus: data.corpus, fingerprint, examples, dev, test, fileSizes };
    const write = async () => frames?.encoder.write() ?? cache?.write(data, prepared);
    return {
      ...prepared,
      data,
      keep,
      cacheTokens: () => cacheTokens(write, session),
    };
  } finally {
    pool.close();
  }
}

/** The cache of the token ids; undefined without a model folder, or if the corpus has no hash (`hashCorpus`). */
async function openCache(
  { corpus, heldOut, out }: CompleteArguments,
  files: Files,
  options: TrainingDataOptions,
  pace: Pace,
): Promise<TokenCache | undefined> {
  if (!out || !corpusFiles(corpus)) return undefined;
  const { hashCorpus, TokenCache } = await import('./token-cache.ts');
  const hash = await hashCorpus(corpus, heldOut, files, pace);
  return hash === undefined ? undefined : new TokenCache(files, out, hash, options);
}

/** The reader of word alignments, if the settings name their file. */
async function linksOf(
  { guidedAlignment, corpus }: CompleteArguments,
  session: CorpusSession,
  isGiven: boolean,
): Promise<TrainingDataOptions['readLinks']> {
  if (guidedAlignment === undefined) return undefined;
  const kept = corpus.kind === 'tsv' && corpus.keep;
  const { train } = (!isGiven && !kept && corpusFiles(corpus)) || {};
  check(train, 'train: guidedAlignment needs files of pairs, for whose lines it has alignments');
  check(!pathsOf(train).includes('-'), 'train: guidedAlignment reads the pairs twice; give files, not stdin');
  return (await import('../../features/corpora/train/guided-corpus.ts')).linksReader(
    guidedAlignment,
    train,
    session,
  );
}

/** The proportions of the files of a corpus; undefined if all pairs are alike. */
const mixtureOf = (
  corpus: CorpusArguments,
  fileSizes: readonly number[] | undefined,
): TrainingDataOptions['mixture'] =>
  corpus.kind === 'files' && corpus.stages && fileSizes
    ? { stages: corpus.stages, sizes: fileSizes }
    : undefined;

/** The clips of a corpus of frames; undefined if it has texts. */
async function readClips(
  frames: FrameCorpus | undefined,
): Promise<Awaited<ReturnType<typeof readKeptCorpus>> | undefined> {
  const split = await frames?.read();
  return split && { split, keep: {} };
}

/** Caches the token ids or frames, once; a failure is a warning. */
async function cacheTokens(write: () => Promise<void>, { emit }: Pick<CorpusSession, 'emit'>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (!(error instanceof HeddleError)) throw error;
    emit({
      type: 'warning',
      text: `the token ids are not cached; a resumed run tokenizes again: ${error.message}`,
    });
  }
}

/** Reads the tokenizer files in the settings. Throws a HeddleError that names the file or the setting. */
async function givenTokenizers(
  { tokenizerFile, sourceTokenizer, targetTokenizer, lowercase }: CompleteArguments,
  files: Files,
  options: TokenizerFileOptions,
): Promise<NonNullable<TrainingDataOptions['tokenizers']>> {
  const read = async (path: string | undefined): Promise<Tokenizer | undefined> => {
    if (path === undefined) return undefined;
    check(!lowercase, `train: ${path} determines whether text is lowercased; omit lowercase`);
    const { readTokenizerFile } = await import('../../text/load-tokenizer.ts');
    return readTokenizerFile(await files.read(path), path, options);
  };
  const both = await read(tokenizerFile);
  if (both) return { source: both, target: both };
  const source = await read(sourceTokenizer);
  return { source, target: targetTokenizer === sourceTokenizer ? source : await read(targetTokenizer) };
}

/**
 * Compares the pairs with those at the start of the run; `before` is undefined in checkpoints of older
 * versions. Throws a HeddleError if the file has changed. Another version of Unicode CLDR gives only a
 * warning, since a browser that was updated cannot return to it.
 */
function checkPairs(
  before: Fingerprint | undefined,
  now: Fingerprint,
  { corpus, out }: CompleteArguments,
  session: CorpusSession,
): void {
  if (!before || (before.pairs === now.pairs && before.hash === now.hash)) return;
  const counts = before.pairs === now.pairs ? `both ${now.pairs}` : `${before.pairs} then, ${now.pairs} now`;
  const changed = `these are not the pairs that the run started with (training pairs: ${counts})`;
  const { train } = corpusFiles(corpus) ?? {};
  if (train)
    throw new HeddleError(
      `${nameOfPairs(train)}: ${changed}; restore the file, or fine-tune the model in ${out} on these pairs (init)`,
    );
  const text = `${corpusName(corpus)}: ${changed}, because its version differs; the run goes on with other bits`;
  session.emit({ type: 'warning', text });
}
