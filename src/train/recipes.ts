// What heddle train does where the options say nothing: settings known to work for the built-in corpus, for pairs of one's own, for the
// architecture of Keras's example, and for models that are trained already.

import type { ModelConfig, PresetName } from '../model/model-config.ts';
import type { TokenizerKind } from '../text/tokenizers/tokenizer.ts';
import type { OptimizerConfig } from '../trainer/optimizer-config.ts';
import type { ScheduleConfig } from '../trainer/schedule.ts';

/** The settings that depend on what is trained. */
export interface Recipe {
  readonly preset: PresetName;
  readonly tokenizer: TokenizerKind;
  readonly vocab: number;
  readonly batch: number;
  readonly optimizer: OptimizerConfig['kind'];
  readonly lr: number;
  readonly schedule: ScheduleConfig['kind'];
  /** Largest norm of the gradients, if not the optimizer's own; 0: no limit. */
  readonly clip?: number;
  readonly dropout?: number;
  /** Where the norms stand, if not where the preset has them. */
  readonly norm?: ModelConfig['norm'];
  /** Whether case is dropped, if not as the tokenizer does by itself. */
  readonly lowercase?: boolean;
  /** Whether the vocabularies have their full size where there are fewer words. */
  readonly fill?: boolean;
  readonly steps?: number;
  readonly epochs?: number;
  /** Steps from one evaluation on the dev set to the next. */
  readonly evalEvery: number;
}

const recipes: Record<'intl' | 'pairs' | 'keras' | 'further', Recipe> = {
  intl: {
    preset: 'tiny',
    tokenizer: 'word',
    vocab: 4000,
    batch: 64,
    optimizer: 'adamw',
    lr: 3e-3,
    schedule: 'linear',
    norm: 'pre',
    lowercase: false,
    steps: 800,
    evalEvery: 200,
  },
  pairs: {
    preset: 'small',
    tokenizer: 'bpe',
    vocab: 8000,
    batch: 64,
    optimizer: 'adamw',
    lr: 1e-3,
    schedule: 'inverse-sqrt',
    dropout: 0.1,
    epochs: 10,
    evalEvery: 500,
  },
  // The published example: tables of 15,000 words a side, RMSprop at Keras's default rate and without
  // clipping, batches of 64; dropout is the preset's own.
  keras: {
    preset: 'keras',
    tokenizer: 'word',
    vocab: 15_000,
    fill: true,
    batch: 64,
    optimizer: 'rmsprop',
    lr: 1e-3,
    schedule: 'constant',
    clip: 0,
    epochs: 30,
    evalEvery: 500,
  },
  // A model that is trained already: a fifth of the rate it may have learnt with, so that it forgets little. Sizes are its own.
  further: {
    preset: 'small',
    tokenizer: 'bpe',
    vocab: 8000,
    batch: 64,
    optimizer: 'adamw',
    lr: 2e-4,
    schedule: 'constant',
    epochs: 3,
    evalEvery: 500,
  },
};

/**
 * The settings for a corpus, with what was given in place of the recipe's own. A schedule that ends at the last step is the
 * recipe's only where its steps are too: a run of some steps that is resumed for more goes on as if it had never ended.
 */
export function recipeFor(corpus: 'intl' | 'pairs' | 'further', given: Partial<Recipe>): Recipe {
  const base = recipes[given.preset === 'keras' ? 'keras' : corpus];
  const open = (given.steps ?? given.epochs) !== undefined && base.schedule === 'linear';
  const chosen = Object.fromEntries(
    Object.keys(base)
      .concat('steps', 'epochs')
      .map((key) => [key, given[key as keyof Recipe] ?? base[key as keyof Recipe]]),
  ) as unknown as Recipe;
  return { ...chosen, schedule: given.schedule ?? (open ? 'inverse-sqrt' : base.schedule) };
}
