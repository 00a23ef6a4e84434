// Arguments of a training run.

import type { CorpusArguments } from '../../session/load-corpus.ts';
import type { CompleteSettings } from './recipes.ts';
import type { TrainSettings } from './train-settings.ts';

/** Arguments of a training run. Omitted settings have the defaults of recipes.ts. */
export type TrainArguments = TrainSettings & {
  readonly corpus: CorpusArguments;
  /** Model folder to write; none if empty. */
  readonly out: string;
  /**
   * Whether to resume from the checkpoint in `out`, with its settings except new values of
   * `resumableSettings`.
   */
  readonly resume?: boolean;
};

/** Arguments with all defaults, as in a checkpoint and in the log. */
export type CompleteArguments = CompleteSettings &
  Required<Pick<TrainArguments, 'corpus' | 'out' | 'resume'>>;
