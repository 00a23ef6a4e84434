// How a training reads, encodes and decodes sources that are not text: the training half of a kind of source
// (model/source-kind.ts), which a guest brings.

import type { TextModel } from '../decode/translator.ts';
import type { Engine } from '../engine/engine.ts';
import type { Graph } from '../engine/graph/graph.ts';
import type { Files } from '../files/files.ts';
import type { SavedModel } from '../formats/shared/saved-model.ts';
import type { ModelConfig, ModelOptions } from '../model/model-config.ts';
import type { ParameterList } from '../model/parameter-layout.ts';
import type { EncodedCorpus, EncodeOptions } from '../text/batches/encoded-corpus.ts';
import type { CorpusFiles } from '../text/corpus/pair-files.ts';
import type { Fingerprint, PairList, Split } from '../text/corpus/pairs.ts';
import type { TextPool } from '../text/text-pool.ts';
import type { Tokenizer } from '../text/tokenizers/tokenizer.ts';
import type { RunSettings } from './data-step.ts';
import type { Reported, SessionEvent } from './session-event.ts';

/** The model that pairs are encoded for. */
export interface ModelToEncodeFor {
  readonly config: ModelConfig;
  readonly source: Tokenizer;
  readonly target: Tokenizer;
}

/** Sizes of a batch that is decoded: rows, length of the longest source, and tokens of a text. */
export interface DecodeShape {
  readonly batch: number;
  readonly maxSource: number;
  readonly maxTarget: number;
}

/** Rows of an encoded corpus to decode greedily, with the weights on an engine. */
export interface DecodedRows {
  readonly engine: Engine;
  readonly model: TextModel;
  readonly parameters: ParameterList;
  readonly corpus: EncodedCorpus;
  readonly rows: readonly number[];
  readonly shape: DecodeShape;
}

/** A decoder of evaluations before it has an engine. */
export type PlannedDecoder = Pick<DecodedRows, 'model' | 'parameters' | 'shape'>;

/** Decodes its rows to texts, in order. Throws the signal's reason if it is aborted. */
export type RowDecoder = (signal: AbortSignal) => Promise<string[]>;

/** The sources of a training: texts (`textSource`), or those of a guest. */
export interface TrainingSource {
  /** Whether they are texts, which have a tokenizer. */
  readonly isText: boolean;
  /** Reads the pairs of the corpus, split; undefined: they are read as texts. */
  read(): Promise<Split | undefined>;
  /** Fingerprint of training pairs, with which a run is resumed. */
  fingerprint(pairs: PairList, pool: TextPool): Promise<Fingerprint>;
  /** Encodes pairs for a model. `pool`: threads for many texts. [this thread] */
  encode(
    pairs: PairList,
    model: ModelToEncodeFor,
    limits: EncodeOptions,
    pool?: TextPool,
  ): Promise<EncodedCorpus>;
  /** Caches the encoded sources beside the model folder, once. Throws a HeddleError if they cannot be written. */
  write?(): Promise<void>;
  /** Opens the decoder of evaluations; its plans are made at the first call. */
  openDecoder(rows: DecodedRows): RowDecoder;
  /** The graphs of that decoder, for a forecast of its memory. */
  decoderGraphs(decoder: PlannedDecoder): readonly Graph[];
}

/** What the sources of a training are opened with. */
export interface TrainingSourceOptions {
  readonly settings: RunSettings;
  /** Options of the model, if it is new. */
  readonly model: Partial<ModelOptions>;
  /** The model that is fine-tuned or resumed. */
  readonly start: SavedModel | undefined;
  /** The files of the corpus, if it has files; whether they have weights or stages. */
  readonly corpus: CorpusFiles | undefined;
  readonly hasStages: boolean;
  readonly heldOut: number;
  /** Model folder; none if empty. */
  readonly out: string;
  /** Data of sources by name, if they are no files. */
  readonly sourceData: ReadonlyMap<string, Float32Array> | undefined;
  readonly session: {
    readonly files: Files;
    readonly emit: (event: Reported<SessionEvent>) => void;
    readonly signal?: AbortSignal;
  };
}

/** The training half of a kind of source. */
export interface TrainingSourceKind {
  /** Throws a HeddleError if a setting is only for sources of tokens. */
  checkSettings(settings: RunSettings): void;
  /** Settings that a model needs if the caller does not give them, such as small batches. */
  defaults?(given: RunSettings, start: SavedModel): RunSettings;
  open(options: TrainingSourceOptions): TrainingSource;
}
