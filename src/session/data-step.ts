// Steps of the data of a training, which guests bring: a step takes the batches of a run and returns others, such as
// mixtures, augmented rows or masks, and may add a part to the loss.

import type { Message } from '../core/message.ts';
import type { Files } from '../files/files.ts';
import type { LossPart } from '../model/loss-part.ts';
import type { ModelConfig, ModelOptions } from '../model/model-config.ts';
import type { BatchSource, Stage } from '../text/batches/batch-source.ts';
import type { PairFiles } from '../text/corpus/pair-files.ts';
import type { PairReader } from '../text/corpus/pair-reader.ts';
import type { PairList } from '../text/corpus/pairs.ts';
import type { TextPool } from '../text/text-pool.ts';
import type { Tokenizer } from '../text/tokenizers/tokenizer.ts';

/** The settings of a run by name; a guest knows the names and types of its own. */
export type RunSettings = object;

/** What a step is opened with. */
export interface DataContext {
  readonly settings: RunSettings;
  readonly seed: number;
  /** Tokenizers of both sides. */
  readonly source: Tokenizer;
  readonly target: Tokenizer;
  /** The pairs of the corpus; undefined if its token ids are from the cache. */
  readonly pairs: PairList | undefined;
  /** Files of the training pairs, if they are read from files; the number of training pairs of each. */
  readonly train: PairFiles | undefined;
  readonly fileSizes: readonly number[] | undefined;
  /** Readers of pairs whose records are not lines. */
  readonly readers: readonly PairReader[];
  /** Stages of the corpus with the weights of its files. */
  readonly stages: readonly Stage[] | undefined;
  readonly files: Files;
  /** Does work on the texts before the run. */
  readonly pool: TextPool;
  /** Opens threads that work as long as the run. */
  openPool(): Promise<TextPool>;
  /** Reports a message. */
  message(text: Message): void;
}

/** A step of the data. */
export interface DataStep {
  /** Throws a HeddleError if the step cannot be done with files of pairs, before they are read; `train`: see DataContext. */
  check?(train: PairFiles | undefined): void;
  /** Fields of the model configuration that the step needs. `start`: the model that is fine-tuned, if there is one. */
  modelOptions?(settings: RunSettings, start?: ModelConfig): Partial<ModelOptions>;
  /** Texts that trained tokenizers shall know as one piece. */
  symbols?(settings: RunSettings): readonly string[];
  /** The step in words for a message at the start. */
  describe?(settings: RunSettings): Message | undefined;
  /** What does not fit the tokenizers of the run. */
  warnings?(settings: RunSettings, tokenizers: Pick<DataContext, 'source' | 'target'>): readonly Message[];
  /** Part of the loss. */
  loss?(settings: RunSettings): LossPart;
  /** Returns the batches after this step. Throws a HeddleError that names a setting that does not fit. */
  open(batches: BatchSource, context: DataContext): Promise<BatchSource>;
}

/** A row of the table of steps, in the order in which they are done. */
export interface DataStepRow {
  /** What it does, as a noun for messages: `guided alignment`. */
  readonly name: string;
  /** Whether a run needs the step: its settings, and whether its corpus has weights or stages. */
  isNeeded(settings: RunSettings, hasStages: boolean): boolean;
  /** Whether the step reads the texts of the pairs, which a cache of token ids does not have. */
  readonly needsTexts?: boolean;
  /** Loads the code of the step. */
  load(): Promise<DataStep>;
}

/** The steps that a run needs, in order. */
export const neededSteps = (
  rows: readonly DataStepRow[],
  settings: RunSettings,
  hasStages: boolean,
): readonly DataStepRow[] => rows.filter((row) => row.isNeeded(settings, hasStages));
