// File and Blob objects in the arguments of `train` and `planTraining`, as pairs and as paths of files beside those
// of the host.

import { archiveFiles } from '../files/archive-files.ts';
import type { Files } from '../files/files.ts';
import { type FileSource, type FolderSource, GivenFiles } from '../files/given-files.ts';
import { isObject } from '../files/json-files.ts';
import type { Features } from '../session/feature-table.ts';
import { currentHost } from '../session/host.ts';
import { emitTo, type SessionEvent } from '../session/session-event.ts';
import type { Pair } from '../text/corpus/pairs.ts';
import type { CorpusArguments } from '../train/data/corpus-arguments.ts';
import { checkCorpus } from '../train/data/load-corpus.ts';
import { readBlobPairs } from '../train/data/read-pair-files.ts';
import type { SettingTable, TrainSettings } from '../train/settings/train-settings.ts';
import { isPairSource, pairsOfSource } from './pair-source.ts';

/** The settings of a training, of which those that are files may be File and Blob objects. */
export interface GivenSettings
  extends Omit<TrainSettings, 'tokenizerFile' | 'sourceTokenizer' | 'targetTokenizer' | 'init'> {
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
   * Initialize the weights with a scheme (xavier, truncated-normal), or fine-tune a model with its tokenizers: a
   * folder, an archive as a File or Blob, or the files of a folder. ['xavier']
   */
  readonly init?: FolderSource;
}

/** Pairs, a generator of pairs, a file of pairs, or a corpus. */
export type GivenPairs =
  | readonly Pair[]
  | Iterable<Pair>
  | AsyncIterable<Pair>
  | Blob
  | CorpusArguments<FileSource>;

/** The same, or data in a form that a guest reads (session/given-data.ts). */
export type GivenData = GivenPairs | object;

/** Dev and test pairs. */
interface GivenSets {
  readonly dev?: GivenData;
  readonly test?: GivenData;
}

/** Arguments without File and Blob objects, and files that have these at the paths in the arguments. */
export interface KnownInputs {
  readonly pairs: object;
  readonly dev?: object;
  readonly test?: object;
  readonly settings: TrainSettings;
  readonly files: Files;
}

/** Reads the files and generators of pairs, and gives the other files paths. `table`: names the settings that are files. */
export async function givenInputs(
  given: GivenData,
  { dev, test, init, ...others }: GivenSettings & GivenSets,
  table: SettingTable,
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
  const files = new GivenFiles(archiveFiles(base));
  const pairsOf = async (list: object, name: string): Promise<object> => {
    if (list instanceof Blob) return pairsOfBlob(list, reading);
    return isPairSource(list) ? pairsOfSource(list, name, reading.signal) : list;
  };
  const settings = Object.fromEntries(
    Object.entries(others).map(([name, value]) => [
      name,
      table.files.includes(name) && value !== undefined ? files.path(value as FileSource) : value,
    ]),
  ) as TrainSettings;
  const isCorpus = isObject(given) && !(given instanceof Blob) && !isPairSource(given);
  return {
    pairs: isCorpus ? (files.withPaths(given) as object) : await pairsOf(given, 'pairs'),
    dev: dev && (await pairsOf(dev, 'dev')),
    test: test && (await pairsOf(test, 'test')),
    settings: { ...settings, init: init === undefined ? init : await files.folder(init) },
    files: files.files,
  };
}

/** The pairs of a file. */
async function pairsOfBlob(
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
  return readBlobPairs(blob, { features, emit: emitTo(onEvent), signal });
}

/** The corpus that is given instead of pairs; undefined if there is none. */
export async function corpusOf(
  given: unknown,
  { givenData }: Features,
): Promise<CorpusArguments | undefined> {
  if (!isObject(given)) return undefined;
  const reader = await givenData.find((row) => row.matches(given))?.load();
  const corpus = reader?.corpusOf?.(given) ?? given;
  if (!('kind' in corpus)) return undefined;
  checkCorpus(corpus as CorpusArguments);
  return corpus as CorpusArguments;
}

/** Pairs, or the pairs of data in a form that a guest reads, whose sources `data` then has by name. */
export async function pairsIn(
  given: object,
  name: string,
  { givenData }: Features,
  data: Map<string, Float32Array>,
): Promise<readonly Pair[]> {
  const reader = await givenData.find((row) => row.matches(given))?.load();
  return (await reader?.pairsOf?.(given, name, data)) ?? (given as readonly Pair[]);
}
