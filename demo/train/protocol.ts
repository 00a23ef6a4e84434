// Message protocol of the training page and its worker: calls, events and their types, all
// structured-cloneable data. The page's side is page/training-session.ts, the worker's side
// worker/training-worker.ts.

import type { Message } from '../../src/core/message.ts';
import type { CorpusArguments, TextRange } from '../../src/entries/data.ts';
import type {
  DecodeOptions,
  JobEvent,
  LiveSettings,
  ModelLanguages,
  Pair,
  PairScore,
  TrainingForecast,
  TrainSettings,
  TranslateOptions,
} from '../../src/entries/heddle.ts';
import type { PullProgress } from '../../src/entries/host.ts';
import type { TranslationReport } from '../../src/entries/metrics.ts';
import type {
  Attention,
  Inspection,
  InspectOptions,
  LogChange,
  LogEval,
  LogProbe,
  LogStep,
  RunSummary,
  Sample,
  TrainingHistory,
} from '../../src/entries/reports.ts';
import type { Sent } from '../common/worker-client.ts';
import type { StorageInfo } from '../storage/model-store.ts';
import type { HandUpdate, PairState, WeightPlace } from '../toys/hand-training.ts';
import type { Neighbour } from '../toys/neighbours.ts';
import type { PreviewedBatch } from '../toys/preview-batches.ts';

/** The corpus to train on. */
export type CorpusChoice =
  /**
   * Pairs that the browser generates: from Unicode CLDR, with locales as BCP 47 tags, or of a built-in task.
   */
  | Extract<CorpusArguments, { kind: 'intl' | 'task' }>
  | {
      /**
       * A file or pasted text: source, tab, target on each line; or CSV, see isCsv. Stored in the browser
       * with the model.
       */
      readonly kind: 'text';
      /** File name, or `pasted text`; used in messages. */
      readonly name: string;
      /**
       * UTF-8 bytes, with or without a byte order mark, or a string. A large file is a Blob, which the page
       * does not read.
       */
      readonly data: Blob | Uint8Array | string;
    };

/**
 * A training run: what to train on, and how. Omitted settings have the defaults of
 * src/train/settings/run-defaults.ts.
 */
export interface TrainingSettings {
  /** Name of the model in the browser; `isModelName` of storage/model-names.ts checks it. */
  readonly name: string;
  readonly corpus: CorpusChoice;
  readonly settings: TrainSettings;
  /** Maximum bytes of GPU and JavaScript memory together. [that of the platform] */
  readonly memoryBudget?: number;
}

/** A planned training: statistics of its corpus, its size and whether it fits the device. */
export interface TrainingPreview extends Omit<TrainingForecast, 'corpus'> {
  readonly corpus: {
    /** `English to Spanish, from Unicode CLDR`, or the file name. */
    readonly name: string;
    /** Number of generated pairs that the statistics are estimated from; 0 if the whole corpus was read. */
    readonly sampled: number;
    /** Number of pairs: all, training, dev, test, and skipped ones (a side is too long or empty). */
    readonly pairs: number;
    readonly train: number;
    readonly dev: number;
    readonly test: number;
    readonly skipped: number;
    /** Message about lines that are not pairs; empty if there are none. */
    readonly badLines: string;
    readonly sourceLength: LengthStatistics;
    readonly targetLength: LengthStatistics;
    readonly sourceVocabulary: number;
    readonly targetVocabulary: number;
    /** A few pairs. */
    readonly examples: readonly { readonly source: string; readonly target: string }[];
  };
}

/**
 * Lengths of one side of a corpus in tokens. `histogram[i]` counts the pairs with i tokens; the last bin also
 * counts all longer ones.
 */
export interface LengthStatistics {
  readonly mean: number;
  readonly longest: number;
  readonly histogram: readonly number[];
}

/**
 * State of a session: `idle` → `preparing` → `training` ⇄ `paused`; `recovering` after a lost device, then
 * `training` again; `stopping` after `stop()`, then `stopped`; `done` after the last step; `failed` with a
 * message. A training can start in `idle`, `stopped`, `done` and `failed`.
 */
export type SessionState =
  | 'idle'
  | 'preparing'
  | 'training'
  | 'paused'
  | 'recovering'
  | 'stopping'
  | 'stopped'
  | 'done'
  | 'failed';

/** An update. */
export interface StepEvent extends LogStep {
  /** Milliseconds since the previous update, without pauses and evaluations. */
  readonly stepMs: number;
  /** Whether it is the first update on a device, whose time includes the compilation of kernels. */
  readonly first?: true;
}

/** Events that the worker sends. */
export type SessionEvent =
  | {
      readonly type: 'state';
      readonly state: SessionState;
      /** Name of the model that is trained; empty if there is none. */
      readonly model: string;
      /** Updates done and in total; 0 before the total is known. */
      readonly step: number;
      readonly steps: number;
      /** Message for the visitor, for example why the training failed; may be empty. */
      readonly text: string;
    }
  /** The training is ready for its first update. */
  | { readonly type: 'started'; readonly info: RunInfo }
  /** After a resume: the steps, evaluations and changes before it, so that the curves are complete. */
  | {
      readonly type: 'history';
      readonly steps: readonly LogStep[];
      readonly evals: readonly LogEval[];
      readonly probes: readonly LogProbe[];
      readonly changes: readonly LogChange[];
    }
  /** Settings were changed, by hand or as the setting `changes` says. */
  | { readonly type: 'change'; readonly change: LogChange }
  /** The probe after an update: attention and likely next tokens of the pinned pair. */
  | { readonly type: 'probe'; readonly probe: LogProbe }
  /**
   * Updates since the last such event, in order, each step once (steps repeated after a lost device are not
   * sent again). About 20 events per second at most.
   */
  | { readonly type: 'steps'; readonly steps: readonly StepEvent[] }
  /** Dev metrics after an update. */
  | { readonly type: 'evaluation'; readonly eval: LogEval }
  /** Translations of the dev sentences after an update. */
  | { readonly type: 'samples'; readonly step: number; readonly samples: readonly Sample[] }
  /** A checkpoint was saved in the browser; `time` in milliseconds since 1970. */
  | { readonly type: 'checkpoint'; readonly model: string; readonly step: number; readonly time: number }
  /**
   * The device was lost and replaced; training continues from `step`. `text` is a message for the visitor.
   */
  | { readonly type: 'recovery'; readonly step: number; readonly text: string }
  /** Progress of slow work before the first step, such as kernel auto-tuning. */
  | Extract<JobEvent, { type: 'progress' }>
  /** Updates take `times` as long as at the start of the training. */
  | { readonly type: 'slower'; readonly times: number }
  /** Message: an error that does not end the training, such as a checkpoint that could not be saved. */
  | { readonly type: 'warning'; readonly text: string }
  /** A line for the message log. */
  | { readonly type: 'log'; readonly text: string };

/** A training that is ready to start. */
export interface RunInfo {
  readonly model: string;
  readonly parameters: number;
  /** Backend and adapter. */
  readonly backend: string;
  /** GPU memory in bytes: planned for training, and allocated now (tensors, staging buffers, uniforms). */
  readonly plannedBytes: number;
  readonly gpuBytes: number;
  /** Settings that may change during the run, and the schedule of the learning rate. */
  readonly live: Required<LiveSettings>;
  readonly schedule: string;
}

/** A token of a translation. Greedy decoding and sampling stream; beam search sends one piece at its end. */
export interface PieceEvent {
  readonly id: number;
  readonly text: string;
}

/** A translation. */
export interface TranslationResult {
  /** The best translation; may be empty. */
  readonly text: string;
  /** The `numReturn` best translations with their scores, the best first. */
  readonly candidates: readonly TranslationCandidate[];
  /** Milliseconds of decoding, without waiting for the model, and tokens of the best translation. */
  readonly ms: number;
  readonly tokens: number;
  /** The sentences that were translated, each on its own; one if the text was translated as a whole. */
  readonly sentences: readonly { readonly source: string; readonly target: string }[];
  /** The text that was drawn as an image, which the model has read instead of the text. */
  readonly drawn?: string;
  /** Words of the text that have a token outside of the model's vocabulary. */
  readonly unknown: readonly TextRange[];
  /** Name of the model, and the updates it has done. */
  readonly model: string;
  readonly step: number;
}

/** One of the translations of a text. */
export interface TranslationCandidate {
  readonly text: string;
  readonly score: number;
  readonly ids: readonly number[];
  /** Cross-attention of each sentence, with the weights that produced it; on request. */
  readonly attention?: readonly Attention[];
}

/**
 * Decoding options that can be sent to the worker, languages, whether to return the attention of each
 * translation, and whether to translate a text sentence by sentence.
 */
export type SentDecodeOptions = Omit<DecodeOptions, 'onProgress' | 'signal'> &
  Pick<TranslateOptions, 'sourceLang' | 'targetLang'> & {
    readonly attention?: boolean;
    readonly bySentence?: boolean;
  };

/**
 * Calls that the page can make, with arguments and results; see `Session` for their meaning. All reject with
 * a message for the visitor.
 */
export interface Calls {
  describe(settings: TrainingSettings): TrainingPreview;
  start(settings: TrainingSettings, options: { readonly replace: boolean }): void;
  resume(name: string, options: ResumeOptions): void;
  pause(): void;
  singleStep(): void;
  continue(): void;
  rest(times: number): void;
  saveNow(): void;
  change(settings: LiveSettings): void;
  stop(): void;
  translate(text: string, options: SentDecodeOptions): TranslationResult;
  /** The languages of the model; undefined if it has none. */
  languages(): ModelLanguages | undefined;
  /** Log-probabilities of the tokens of each target; undefined for a pair that is too long or has an empty side. */
  score(pairs: readonly Pair[], languages: SentLanguages): (PairScore | undefined)[];
  /** Computes a text and a target (default: its translation) with the model. */
  inspect(text: string, options: InspectOptions): Inspection;
  /** Batches of pairs of the built-in corpus, with the tokenizers of the model. */
  previewBatches(corpus: PreviewCorpus, options: PreviewOptions): PreviewedBatch[];
  /** The tokens whose embeddings are nearest to that of a source token of the model. */
  neighbours(id: number, count: number): Neighbour[];
  /** Starts a training by hand of one pair with the model; see the page Learn. */
  startByHand(pair: Pair): HandStart;
  /** Does an update of it, and reports what it did to the weight at `place`. */
  updateByHand(place: WeightPlace, rate: number, warmupSteps: number): HandUpdate;
  /**
   * Teaches a copy of the model at a URL some pairs, which is the loaded model then; a piece is sent for each update, with
   * the share of the updates that are done.
   */
  teachSecret(url: string, pairs: readonly Pair[]): void;
  storage(): StorageInfo;
  /** The settings and curves of a stored model. */
  history(name: string): RunHistory;
  /** Summaries of all stored runs, by name. */
  runs(): RunSummary[];
  /** Translates the pairs of a file by stored models and scores the translations, compared with those of the first. */
  evaluate(names: readonly string[], pairs: Blob): RunScores;
  /** The pairs that are stored with a model: its file or pasted text. */
  corpusOf(name: string): Uint8Array;
  load(name: string, from?: LoadFrom, languages?: SentLanguages): void;
  save(name: string, as: string): void;
  rename(name: string, as: string): void;
  remove(name: string): void;
  exportArchive(name: string): Blob;
  exportSafetensors(name: string): Blob;
  exportOnnx(name: string): Blob;
  /** A model with its translator as one HTML file. */
  exportHtml(name: string): Blob;
  /** An archive of programs: of a stored model, or of the loaded one with a batch and settings. */
  takeAway(name: string, lesson?: TakenLesson): Blob;
  /** The files that Firefox downloads, by name. */
  firefoxFiles(name: string): Readonly<Record<string, Uint8Array>>;
  importArchive(data: Blob | readonly File[], name: string): string;
  /** `hub`: URL of the hub proxy. */
  pull(model: string, hub: string): string;
  removePartial(name: string): void;
  /** For tests and scripts/soak.mjs: destroys the device; counts GPU buffers. */
  loseDevice(): void;
  memory(): GpuMemory;
}

/** What a resumed training changes: its length in total, or its batches. */
export interface ResumeOptions {
  readonly steps?: number;
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly maxTokens?: number;
}

/** Scores of models on the same pairs, and the same as an HTML file. */
export interface RunScores {
  readonly report: TranslationReport;
  readonly html: string;
}

/** Languages and number of the pairs that `previewBatches` shows. */
export interface PreviewCorpus {
  readonly source: string;
  readonly target: string;
  readonly pairs: number;
}

/** Number of buckets and rows of a batch. */
export interface PreviewOptions {
  readonly buckets: number;
  readonly batchSize: number;
}

/** A training by hand before its first update: the matrices that a weight can be chosen from. */
export interface HandStart {
  readonly matrices: readonly { readonly name: string; readonly shape: readonly number[] }[];
  readonly now: PairState;
}

/** What a program of the loaded model trains on, and how. */
export interface TakenLesson {
  readonly pairs: readonly Pair[];
  readonly settings: TrainSettings;
}

/** Languages to load a multilingual model with, as codes of the model. */
export interface SentLanguages {
  readonly sourceLang?: string;
  readonly targetLang?: string;
}

/** A model that is not in the browser's storage: its file, and the updates that it has done. */
export interface LoadFrom {
  readonly url: string;
  readonly step: number;
}

/** The settings, curves and samples of a stored model. */
export interface RunHistory
  extends Pick<TrainingHistory, 'steps' | 'evals' | 'samples' | 'probes' | 'changes'> {
  /** Corpus and settings; undefined for a model without a checkpoint. A stored text has no data. */
  readonly corpus: CorpusArguments | undefined;
  readonly settings: TrainSettings;
  /** Step of the checkpoint. */
  readonly step: number;
}

/** GPU memory allocated in the worker. */
export interface GpuMemory {
  /** Number of live GPU buffers, their bytes, and number of buffers created so far. */
  readonly buffers: number;
  readonly bytes: number;
  readonly created: number;
}

/** Messages from the page to the worker. */
export type Request =
  | {
      readonly type: 'call';
      readonly id: number;
      readonly name: keyof Calls;
      readonly args: readonly unknown[];
    }
  /** Aborts the call `id`, which then rejects. */
  | { readonly type: 'cancel'; readonly id: number };

/** Messages from the worker to the page. */
export type Reply =
  | { readonly type: 'result'; readonly id: number; readonly value: unknown }
  | { readonly type: 'error'; readonly id: number; readonly error: CallError }
  /** A token of the translation of call `id`. */
  | { readonly type: 'piece'; readonly id: number; readonly piece: PieceEvent }
  /** Download progress of call `id`; about 20 per second at most. */
  | { readonly type: 'download'; readonly id: number; readonly progress: PullProgress }
  | { readonly type: 'event'; readonly event: Sent<SessionEvent> };

/** Why a call failed. */
export interface CallError {
  /**
   * `locked`: another tab has locked the model; `exists`: the name is taken; `quota`: the storage of the
   * browser is full; `memory`: out of GPU memory; `device`: device lost too often; `aborted`: cancelled or
   * stopped; `user`: another error that the user can fix; `bug`: everything else.
   */
  readonly kind: 'locked' | 'exists' | 'quota' | 'memory' | 'device' | 'aborted' | 'user' | 'bug';
  /** Message for the visitor. */
  readonly message: Message | string;
  readonly stack?: string;
}
