// The settings of a training on the page: the recipe of the corpus and preset, with defaults of the page.

import { type ModelOptions, presets, type TrainSettings } from '../../../src/entries/heddle.ts';
import { completeSettings, runKindOf, settingTable } from '../../../src/entries/reports.ts';
import { isCsv } from '../corpus-format.ts';
import type { CorpusChoice } from '../protocol.ts';

/**
 * Defaults that differ on the page: the samples table has a row for each translated dev sentence, and
 * the first ones come early; checkpoints are saved often because a tab is easily closed.
 */
export const pageDefaults = {
  devSentences: 24,
  earlyEvals: true,
  saveSeconds: 20,
  probe: 'dev',
  updateRatioSteps: 10,
} satisfies TrainSettings;

/** Minimum number of updates for a small corpus: ten pairs in ten epochs would be ten updates. */
const minUpdates = 300;

/**
 * Number of pairs from which the default held-out share has ten dev pairs; of fewer pairs a tenth is held
 * out.
 */
const manyPairs = 500;

/** Larger texts get more than `minUpdates` updates in any case, so their lines are not counted. */
const maxCounted = 2 ** 18;

/**
 * Epochs, batch size, held-out share and evaluation interval for a text with few pairs; nothing for a larger
 * one.
 */
function smallCorpus(corpus: CorpusChoice, recipe: TrainSettings): TrainSettings {
  if (corpus.kind !== 'text' || corpus.data instanceof Blob || corpus.data.length > maxCounted) return {};
  const { epochs = 1, batchSize = 64 } = recipe;
  const text = typeof corpus.data === 'string' ? corpus.data : new TextDecoder().decode(corpus.data);
  const separator = isCsv(corpus.name, text) ? ',' : '\t';
  const lines = text.split('\n').filter((line) => line.includes(separator));
  const pairs = Math.max(1, lines.length);
  const needed = Math.ceil(minUpdates / Math.ceil(pairs / batchSize));
  return {
    epochs: needed > epochs ? needed : recipe.epochs,
    evalSteps: needed > epochs ? 100 : recipe.evalSteps,
    batchSize: pairs < batchSize ? 2 ** Math.ceil(Math.log2(pairs)) : recipe.batchSize, // no empty rows
    heldOut: pairs < manyPairs ? 0.1 : recipe.heldOut,
  };
}

/** Values of the fields for a corpus: recipe, preset and defaults of the page. */
export function defaultsFor(corpus: CorpusChoice, given: TrainSettings): TrainSettings {
  const kind = runKindOf(corpus.kind, corpus.kind === 'task' ? corpus.task : undefined);
  const complete = completeSettings({ ...pageDefaults, ...given }, kind, settingTable);
  const recipe = { ...complete, ...smallCorpus(corpus, complete) };
  const { dropout = 0, norm = 'post', labelSmoothing }: Partial<ModelOptions> = presets[recipe.preset];
  const rate = recipe.dropout ?? dropout;
  return {
    norm,
    labelSmoothing,
    ...recipe,
    dropout: typeof rate === 'number' ? rate : (rate.output ?? 0),
  };
}
