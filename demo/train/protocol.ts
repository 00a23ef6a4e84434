// What the training page and its worker say to each other. All of it is plain data (structured clone), and this file is the one
// statement of it; page/training-session.ts is one side, worker/training-worker.ts the other.

import type { Alignment } from '../../src/decode/alignment.ts';
import type { DecodeOptions } from '../../src/decode/decode-options.ts';
import type { PullProgress } from '../../src/hub/pull-model.ts';
import type { ModelConfig, ModelOptions, PresetName } from '../../src/model/model-config.ts';
import type { LogEval, LogStep, Sample } from '../../src/report/training-log.ts';
import type { JobEvent } from '../../src/runtime/job.ts';
import type { CorpusArguments } from '../../src/runtime/load-corpus.ts';
import type { OptimizerConfig } from '../../src/trainer/optimizer-config.ts';
import type { ScheduleConfig } from '../../src/trainer/schedule.ts';
import type { TrainingDataOptions } from '../../src/trainer/training-data.ts';
import type { StorageFacts } from '../storage/model-store.ts';

/** Where pairs come from. */
export type CorpusChoice =
  /** Made by the browser itself from Unicode CLDR. Locales are BCP 47 tags. */
  | Extract<CorpusArguments, { kind: 'intl' }>
  | {
      /** A dropped or picked file, or pasted text: source, tab, target on each line. Kept in the browser with the model. */
      readonly kind: 'text';
      /** The file's name, or `pasted text`; stands in messages. */
      readonly name: string;
      /** UTF-8 with or without a byte-order mark; a string is taken as it is. */
      readonly data: Uint8Array | string;
    };

/** Everything that decides a training. `settingsFor` in settings.ts fills it with the recipe of a corpus and preset. */
export interface TrainingSettings {
  /** Name of the model in the browser: `isModelName` in storage/names.ts says what it may be. */
  readonly name: string;
  readonly corpus: CorpusChoice;
  /** Share of source sentences held out for dev, and again for test: from 0 to below 0.5. */
  readonly heldOut: number;
  readonly preset: PresetName;
  /** Fields of the model that differ from the preset's. */
  readonly model: Partial<ModelOptions>;
  readonly tokenizer: TrainingDataOptions['tokenizer'];
  /** Sentences a batch, shapes that batches are padded to at most, batches an update. */
  readonly batch: number;
  readonly buckets: number;
  readonly accumulate: number;
  /** Updates in all; or, where 0, epochs. */
  readonly steps: number;
  readonly epochs: number;
  readonly optimizer: Partial<OptimizerConfig>;
  readonly schedule: Partial<ScheduleConfig> & Pick<ScheduleConfig, 'learningRate'>;
  /** Decides weights, order and dropout. */
  readonly seed: number;
  /** Steps from one evaluation on the dev sentences to the next; 0: at no time. */
  readonly evalEvery: number;
  /** Dev sentences that are translated at each evaluation: the rows of the page's table. */
  readonly devSentences: number;
  /** Seconds from one automatic checkpoint to the next; 0: only when paused, stopped or done. */
  readonly checkpointSeconds: number;
}

/** What is known of a training before it starts. */
export interface TrainingFacts {
  readonly corpus: {
    /** `English to Spanish, from Unicode CLDR`, or the file's name. */
    readonly name: string;
    /** Pairs in all; those to learn from, for dev and for test; and those left out for their length or since a side is empty. */
    readonly pairs: number;
    readonly train: number;
    readonly dev: number;
    readonly test: number;
    readonly leftOut: number;
    /** Of a text: lines that are no pair, in words; empty where there is none. */
    readonly badLines: string;
    /** Tokens of a side: mean and longest. `histogram[i]`: pairs whose side has i tokens, the last one with all longer ones. */
    readonly sourceLength: LengthFacts;
    readonly targetLength: LengthFacts;
    readonly sourceVocabulary: number;
    readonly targetVocabulary: number;
    /** A few pairs, to look at. */
    readonly examples: readonly { readonly source: string; readonly target: string }[];
  };
  readonly config: ModelConfig;
  readonly parameters: number;
  /** Batches as `64x16x20`: rows, source and target positions. */
  readonly shapes: readonly string[];
  /** Updates in all and in an epoch. */
  readonly steps: number;
  readonly stepsPerEpoch: number;
  /** GPU memory as planned, in bytes: everything of the largest plan; weights, gradients and moments; intermediate results. */
  readonly planned: { readonly peak: number; readonly states: number; readonly slots: number; readonly inputs: number };
  /** Floating-point operations of a step of the largest shape, and its dispatches. */
  readonly flops: number;
  readonly dispatches: number;
  /** Whether it fits this device. `why` says in a sentence what does not fit, with both numbers; empty where it fits. */
  readonly fits: boolean;
  readonly why: string;
  /** The adapter's name, and whether it is a software one, which is slow. */
  readonly adapter: string;
  readonly software: boolean;
}

/** Lengths of one side of a corpus, in tokens. */
export interface LengthFacts {
  readonly mean: number;
  readonly longest: number;
  readonly histogram: readonly number[];
}

/**
 * Where a session stands. `idle` → `preparing` → `training` ⇄ `paused`; `recovering` after a lost device, then `training` again;
 * `stopping` after `stop()`, then `stopped`; `done` after the last step; `failed` with a message. From the last three, as from
 * `idle`, a training can start.
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

/** One update, as curves and counters need it. */
export interface StepEvent extends LogStep {
  /** Milliseconds from the update before it to this one, pauses and evaluations not counted. */
  readonly stepMs: number;
}

/** What the worker says unasked. */
export type SessionEvent =
  | {
      readonly type: 'state';
      readonly state: SessionState;
      /** The model that is trained; empty where none is. */
      readonly model: string;
      /** Updates done, and in all; 0 before it is known. */
      readonly step: number;
      readonly steps: number;
      /** For people: why it failed or what it waits for; empty where the state says it all. */
      readonly text: string;
    }
  /** What is trained, when the training's plans are ready. `resumedAt`: updates that a checkpoint had done, else 0. */
  | { readonly type: 'started'; readonly facts: RunFacts; readonly resumedAt: number }
  /** After a resume: what the training did before, so that curves begin at its beginning. */
  | { readonly type: 'history'; readonly steps: readonly LogStep[]; readonly evals: readonly LogEval[] }
  /**
   * Updates that came since the last such event, in order, each number once (those that are done again after a lost device are not
   * told again). At most about 20 such events a second.
   */
  | { readonly type: 'steps'; readonly steps: readonly StepEvent[] }
  /** The dev metrics after an update. */
  | { readonly type: 'dev'; readonly eval: LogEval }
  /** The dev sentences as they are translated now. */
  | { readonly type: 'samples'; readonly step: number; readonly samples: readonly Sample[] }
  /** An automatic or final checkpoint is whole in the browser; `time` in milliseconds since 1970. */
  | { readonly type: 'saved'; readonly model: string; readonly step: number; readonly time: number }
  /** The device was lost and is back: training goes on from `step`. `text` says so for people. */
  | { readonly type: 'recovered'; readonly step: number; readonly text: string }
  /** Something slow before the first step (`measuring kernels`), or a translation of many. */
  | Extract<JobEvent, { type: 'progress' }>
  /** For people: something went wrong and training goes on (a checkpoint that could not be saved, pairs left out, a clock that jumped). */
  | { readonly type: 'warning'; readonly text: string }
  /** For people: what happens, a line at a time. */
  | { readonly type: 'log'; readonly text: string };

/** What is known once a training's plans are ready. */
export interface RunFacts {
  readonly model: string;
  readonly parameters: number;
  readonly steps: number;
  readonly stepsPerEpoch: number;
  /** The adapter. */
  readonly backend: string;
  /** GPU memory in bytes: as planned for training, and what is allocated now (plans, staging, parameters of passes). */
  readonly plannedBytes: number;
  readonly gpuBytes: number;
  readonly dispatches: number;
  readonly pairs: number;
  readonly shapes: readonly string[];
}

/** One token of a translation as it comes: greedy decoding and sampling stream, a beam gives one piece at its end. */
export interface PieceEvent {
  readonly id: number;
  readonly text: string;
}

/** A translation. */
export interface TranslationResult {
  /** The best; the empty string where nothing came. */
  readonly text: string;
  /** Of `numReturn`, the best first, with their scores. */
  readonly candidates: readonly { readonly text: string; readonly score: number; readonly ids: readonly number[] }[];
  /** Milliseconds it took, waiting for its turn not counted, and tokens of the best. */
  readonly ms: number;
  readonly tokens: number;
  /** Which model: its name, and the updates it has done. */
  readonly model: string;
  readonly step: number;
}

/** Cross-attention of a text and its translation. */
export interface AttentionResult extends Omit<Alignment, 'source' | 'target'> {
  /** Labels of rows (target, T, the end as `[end]`) and columns (source, S): the pieces as a reader knows them. */
  readonly target: readonly string[];
  readonly source: readonly string[];
}

/** Options of a decoding that can be sent. */
export type SentDecodeOptions = Omit<DecodeOptions, 'onProgress' | 'signal'>;

/** What the page can ask, by name: what it gives and what it gets. Every one rejects with a message for people. */
export interface Calls {
  describe(settings: TrainingSettings): TrainingFacts;
  start(settings: TrainingSettings, options: { readonly replace: boolean }): void;
  resume(name: string, options: { readonly steps?: number; readonly epochs?: number }): void;
  pause(): void;
  continue(): void;
  stop(): void;
  translate(text: string, options: SentDecodeOptions): TranslationResult;
  align(text: string): AttentionResult;
  storage(): StorageFacts;
  load(name: string): void;
  save(name: string, as: string): void;
  remove(name: string): void;
  exportArchive(name: string): Blob;
  exportSafetensors(name: string): Blob;
  importArchive(data: Blob, name: string): string;
  /** `hub`: the address beside the page that leads to a hub. */
  pull(model: string, hub: string): string;
  removeWaiting(name: string): void;
  /** For tests and the soak: destroys the device, as a driver would; counts what is allocated. */
  loseDevice(): void;
  memory(): MemoryFacts;
}

/** What is allocated in the worker. */
export interface MemoryFacts {
  /** GPU buffers alive, their bytes, and buffers ever made. */
  readonly buffers: number;
  readonly bytes: number;
  readonly made: number;
}

/** Page to worker. */
export type Request =
  | { readonly type: 'call'; readonly id: number; readonly name: keyof Calls; readonly args: readonly unknown[] }
  /** Ends the call `id`, which then rejects. */
  | { readonly type: 'cancel'; readonly id: number };

/** Worker to page. */
export type Reply =
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly type: 'fault'; readonly id: number; readonly fault: Fault }
  /** A token of the translation that call `id` makes. */
  | { readonly type: 'piece'; readonly id: number; readonly piece: PieceEvent }
  /** How far the model is that call `id` fetches; some 20 a second at most. */
  | { readonly type: 'bytes'; readonly id: number; readonly progress: PullProgress }
  | { readonly type: 'event'; readonly event: SessionEvent };

/** Why a call failed. */
export interface Fault {
  /**
   * `locked`: another tab has the model; `exists`: a model of that name is there; `quota`: no room in the browser; `memory`: the
   * GPU has too little; `device`: lost too often; `aborted`: cancelled or stopped; `user`: else something that the user can mend;
   * `bug`: all else.
   */
  readonly kind: 'locked' | 'exists' | 'quota' | 'memory' | 'device' | 'aborted' | 'user' | 'bug';
  /** For people. */
  readonly message: string;
  readonly stack?: string;
}
