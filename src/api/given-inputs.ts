// File and Blob objects in the arguments of `train` and `planTraining`, as pairs and as paths of files beside those
// of the host.

import type { CorpusMixture } from '../features/corpora/corpus-stages.ts';
import type { Clip } from '../features/speech/speech-clips.ts';
import { archiveFiles } from '../files/archive-files.ts';
import type { Files } from '../files/files.ts';
import type { FileSource, FolderSource } from '../files/given-files.ts';
import { isObject } from '../files/json-files.ts';
import type { Features } from '../session/feature-table.ts';
import { currentHost } from '../session/host.ts';
import { emitTo, type SessionEvent } from '../session/session-event.ts';
import type { Pair } from '../text/corpus/pairs.ts';
import type { CorpusArguments } from '../train/data/load-corpus.ts';
import type { TrainSettings } from '../train/settings/train-settings.ts';

/** Settings that are files. */
export const fileSettings = [
  'tokenizerFile',
  'sourceTokenizer',
  'targetTokenizer',
  'guidedAlignment',
] as const;

/** The settings of a training, of which those that are files may be File and Blob objects. */
export interface GivenSettings extends Omit<TrainSettings, (typeof fileSettings)[number] | 'init'> {
  /**
   * Use this tokenizer for both sides instead of training one: a tokenizer.json or a SentencePiece model, as a path,
   * File or Blob. [train a tokenizer]
   */
  readonly tokenizerFile?: FileSource;
  /** Like tokenizerFile, only for the source. [tokenizerFile, or train one] */
  readonly sourceTokenizer?: FileSource;
  /** Like tokenizerFile, only for the target. [tokenizerFile, or train one] */
  readonly targetTokenizer?: FileSource;
  /**
   * Guided alignment: train one head of the last cross-attention on the word alignments in this file, a line 0-0 1-2
   * for each line of the files of pairs; as a path, File or Blob. [none]
   */
  readonly guidedAlignment?: FileSource;
  /**
   * Initialize the weights with a scheme (xavier, truncated-normal), or fine-tune a model with its tokenizers: a
   * folder, an archive as a File or Blob, or the files of a folder. ['xavier']
   */
  readonly init?: FolderSource;
}

/** Pairs, clips, a file of pairs, or a corpus. */
export type GivenPairs =
  | readonly Pair[]
  | readonly Clip[]
  | Blob
  | CorpusArguments<FileSource>
  | CorpusMixture<FileSource>;

/** The same without File and Blob objects. */
type KnownPairs = readonly Pair[] | readonly Clip[] | CorpusArguments | CorpusMixture;

/** Dev and test pairs. */
interface GivenSets {
  readonly dev?: readonly Pair[] | readonly Clip[] | Blob;
  readonly test?: readonly Pair[] | readonly Clip[] | Blob;
}

/** Arguments without File and Blob objects, and files that have these at the paths in the arguments. */
export interface KnownInputs {
  readonly pairs: KnownPairs;
  readonly dev?: readonly Pair[] | readonly Clip[];
  readonly test?: readonly Pair[] | readonly Clip[];
  readonly settings: TrainSettings;
  readonly files: Files;
}

/** Reads the files of pairs, and gives the other files paths. */
export async function givenInputs(
  given: GivenPairs,
  {
    dev,
    test,
    tokenizerFile,
    sourceTokenizer,
    targetTokenizer,
    guidedAlignment,
    init,
    ...others
  }: GivenSettings & GivenSets,
  {
    files: base = currentHost().files,
    ...reading
  }: {
    readonly files?: Files;
    readonly features: Features;
    readonly onEvent?: (event: SessionEvent) => void;
    readonly signal?: AbortSignal;
  },
): Promise<KnownInputs> {
  const { GivenFiles } = await import('../files/given-files.ts');
  const files = new GivenFiles(archiveFiles(base));
  const path = (source: FileSource | undefined) => (source === undefined ? source : files.path(source));
  const pairsOf = async <T>(list: T | Blob): Promise<T | readonly Pair[]> =>
    list instanceof Blob ? pairsOfBlob(list, reading) : list;
  const isCorpus = isObject(given) && !(given instanceof Blob);
  return {
    pairs: isCorpus ? (files.withPaths(given) as KnownPairs) : ((await pairsOf(given)) as KnownPairs),
    dev: await pairsOf(dev),
    test: await pairsOf(test),
    settings: {
      ...others,
      tokenizerFile: path(tokenizerFile),
      sourceTokenizer: path(sourceTokenizer),
      targetTokenizer: path(targetTokenizer),
      guidedAlignment: path(guidedAlignment),
      init: init === undefined ? init : await files.folder(init),
    },
    files: files.files,
  };
}

/** The pairs of a file; the readers of its format are loaded on demand. */
export async function pairsOfBlob(
  blob: Blob,
  {
    features,
    onEvent,
    signal,
  }: {
    readonly features: Features;
    readonly onEvent?: (event: SessionEvent) => void;
    readonly signal?: AbortSignal;
  },
): Promise<readonly Pair[]> {
  const { readBlobPairs } = await import('../train/data/load-corpus.ts');
  return readBlobPairs(blob, { features, emit: emitTo(onEvent), signal });
}

/** The corpus that is given instead of pairs; undefined if there is none. */
export async function corpusOf(given: unknown): Promise<CorpusArguments | undefined> {
  if (!isObject(given)) return undefined;
  const isKind = 'kind' in given;
  if (!(isKind || 'data' in given || 'stages' in given)) return undefined;
  const { checkCorpus, mixedCorpus } = await import('../features/corpora/corpus-stages.ts'); // most calls have pairs
  if (!isKind) return mixedCorpus(given);
  checkCorpus(given as CorpusArguments);
  return given as CorpusArguments;
}
