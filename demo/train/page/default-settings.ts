// Settings of a training as the page begins with them: the command line's recipes, for a page.

import { type PresetName, presets } from '../../../src/model/model-config.ts';
import { recipeFor } from '../../../src/train/recipes.ts';
import type { CorpusChoice, TrainingSettings } from '../protocol.ts';

/** Names of the presets, the smallest first. */
export const presetNames = Object.keys(presets) as PresetName[];

/** Seconds from one automatic checkpoint to the next, unless said otherwise. */
export const checkpointSeconds = 20;

/**
 * The recipe for a corpus, as `heddle train` has it; with `preset` that of the preset. What was given replaces the recipe's own, so a
 * page can start from `settingsFor(corpus)` and change fields.
 */
export function settingsFor(
  corpus: CorpusChoice,
  preset?: PresetName,
  given: Partial<TrainingSettings> = {},
): TrainingSettings {
  const recipe = recipeFor(corpus.kind === 'intl' ? 'intl' : 'pairs', preset ? { preset } : {});
  return {
    name: modelName(corpus),
    corpus,
    heldOut: 0.02,
    preset: recipe.preset,
    model: {
      ...(recipe.norm !== undefined && { norm: recipe.norm }),
      ...(recipe.dropout !== undefined && { dropout: recipe.dropout }),
    },
    tokenizer: {
      kind: recipe.tokenizer,
      size: recipe.vocab,
      ...(recipe.lowercase !== undefined && { lowercase: recipe.lowercase }),
      ...(recipe.fill && { fill: true }),
    },
    batch: recipe.batch,
    buckets: 2,
    accumulate: 1,
    steps: recipe.steps ?? 0,
    epochs: recipe.epochs ?? 0,
    optimizer: { kind: recipe.optimizer },
    schedule: { kind: recipe.schedule, learningRate: recipe.lr },
    seed: 1,
    evalEvery: recipe.evalEvery,
    devSentences: 24,
    checkpointSeconds,
    ...given,
  };
}

/** A name for a model of a corpus: `intl-en-es`, or the file's name without its ending, in what `isModelName` takes. */
export function modelName(corpus: CorpusChoice): string {
  const raw = corpus.kind === 'intl' ? `intl-${corpus.source}-${corpus.target}` : corpus.name.replace(/\.[^.]+$/, '');
  const name = raw
    .normalize('NFC')
    .replace(/[^\p{L}\p{N}_-]+/gu, '-')
    .replace(/^[-_]+|[-_]+$/g, '')
    .slice(0, 60);
  return name || 'model';
}
