// What the options of heddle train ask for, as the job takes it: of a training that begins, and of one that goes on.

import { resolve } from 'node:path';
import { HeddleError } from '../core/errors.ts';
import { type DropoutRates, type ModelOptions, presets } from '../model/model-config.ts';
import { initSchemes } from '../model/parameters.ts';
import type { CorpusArguments } from '../runtime/load-corpus.ts';
import { resumable } from '../train/checkpoints.ts';
import { type Recipe, recipeFor } from '../train/recipes.ts';
import type { TrainArguments } from '../train/settings.ts';
import { flagOf, optimizerOf, scheduleOf } from './optimizer-flags.ts';
import { withoutEndSlash } from './out-folder.ts';
import type { DropoutFlags, TrainOptions } from './train-flags.ts';
import { tuningOf } from './trainable-flags.ts';

/** The arguments of a training that begins, on a file of pairs or the built-in corpus. Throws a HeddleError where options exclude each other. */
export function trainArguments(pairs: string | undefined, o: TrainOptions): TrainArguments {
  exclude(o, 'steps', 'epochs');
  exclude(o, 'batch', 'tokens');
  const start = startOf(o);
  const { dropout, ...given } = o;
  const recipe = recipeFor(start.initFrom ? 'further' : pairs === undefined ? 'intl' : 'pairs', given);
  const rates = dropoutOf(recipe, dropout);
  return {
    corpus:
      pairs === undefined
        ? { kind: 'intl', source: o.sourceLocale, target: o.targetLocale, pairs: o.pairs, seed: o.seed }
        : { kind: 'tsv', path: resolve(pairs), ...(o.dev !== undefined && { dev: resolve(o.dev) }) },
    heldOut: o.heldOut,
    preset: recipe.preset,
    model: {
      ...(recipe.norm !== undefined && { norm: recipe.norm }),
      ...(rates !== undefined && { dropout: rates }),
      ...(o.labelSmoothing !== undefined && { labelSmoothing: o.labelSmoothing }),
      ...o.set,
    },
    tokenizer: {
      kind: recipe.tokenizer,
      size: recipe.vocab,
      ...(recipe.lowercase !== undefined && { lowercase: recipe.lowercase }),
      ...(recipe.fill && { fill: true }),
    },
    steps: o.epochs === undefined ? (recipe.steps ?? 0) : 0,
    epochs: recipe.epochs ?? 0,
    batchSize: o.tokens === undefined ? recipe.batch : 0,
    maxTokens: o.tokens ?? 0,
    buckets: o.buckets,
    accumulate: o.accumulate,
    optimizer: optimizerOf(recipe.optimizer, { ...(recipe.clip !== undefined && { clip: recipe.clip }), ...o }),
    schedule: scheduleOf(recipe.schedule, recipe.lr, o),
    seed: o.seed,
    ...start,
    ...tuningOf(o, start.initFrom),
    testSentences: o.test,
    out: '',
    saveEvery: o.saveEvery,
    saveSeconds: o.saveSeconds,
    evalEvery: recipe.evalEvery,
    devSentences: o.devSentences,
    metric: o.best,
    patience: o.patience,
    resume: false,
    noFuse: o.fuse,
    ...(o.checkpointLayers && { checkpointLayers: true }),
    ...(o.checkFinite && { checkFinite: true }),
    ...(o.precision !== 'f32' && { precision: o.precision }),
  };
}

function exclude(o: TrainOptions, a: keyof TrainOptions, b: keyof TrainOptions): void {
  if (o[a] !== undefined && o[b] !== undefined)
    throw new HeddleError(`--${a} ${o[a]} and --${b} ${o[b]} exclude each other; leave one out`);
}

/** Dropout as the model takes it: what the recipe or the preset has, with the rates that were asked for in its place. */
function dropoutOf(recipe: Recipe, flags: DropoutFlags | undefined): ModelOptions['dropout'] | undefined {
  if (!flags) return recipe.dropout;
  const preset: Partial<ModelOptions> = presets[recipe.preset];
  const base = recipe.dropout ?? preset.dropout ?? 0;
  const { all = typeof base === 'number' ? base : undefined, ...places } = flags;
  if (typeof base === 'number' && Object.keys(places).length === 0) return all;
  const everywhere: Partial<DropoutRates> =
    all === undefined ? {} : { embedding: all, attention: all, feedForward: all, residual: all };
  return { ...(typeof base === 'number' ? {} : base), ...everywhere, ...places };
}

/** A scheme of initial weights, or the folder of a model, which has decided its sizes and tokenizers. */
function startOf({ init, preset, tokenizer, vocab }: TrainOptions): Pick<TrainArguments, 'init' | 'initFrom'> {
  const scheme = initSchemes.find((name) => name === init);
  if (scheme) return { init: scheme };
  for (const [flag, value] of Object.entries({ preset, tokenizer, vocab }))
    if (value !== undefined)
      throw new HeddleError(`--${flag} ${value}: the model in ${init} has its own; leave it out, or --init`);
  return { init: 'xavier', initFrom: withoutEndSlash(init) };
}

/** The options that say anew what a training that goes on may have anew, and those of what the command does beside it. */
const optionOf: Record<(typeof resumable)[number], keyof TrainOptions> = {
  steps: 'steps',
  epochs: 'epochs',
  evalEvery: 'evalEvery',
  devSentences: 'devSentences',
  testSentences: 'test',
  saveEvery: 'saveEvery',
  saveSeconds: 'saveSeconds',
  metric: 'best',
  patience: 'patience',
  checkFinite: 'checkFinite',
};
const beside = ['out', 'resume', 'json', 'host', 'tune', 'memoryLimit'];

/**
 * The arguments of a training that goes on: those that it was started with, and in their place what was given of what may be new.
 * `given` names the options that were; `stays` those of them, and the pairs, that are not taken since they were decided at the start.
 * Files of pairs may be where they were not; whether they are the same is for the job to say.
 */
export function resumedArguments(
  kept: TrainArguments,
  o: TrainOptions,
  given: readonly string[],
  pairs?: string,
): { readonly args: TrainArguments; readonly stays: readonly string[] } {
  exclude(o, 'steps', 'epochs');
  const anew = resumable.filter((field) => given.includes(optionOf[field]));
  const corpus = movedCorpus(kept.corpus, pairs, o.dev);
  const args: TrainArguments = {
    ...kept,
    // A training that was started before there was the option saves as one that is started now.
    saveSeconds: kept.saveSeconds ?? o.saveSeconds,
    ...(Object.fromEntries(anew.map((field) => [field, o[optionOf[field]]])) as Partial<TrainArguments>),
    ...(anew.includes('epochs') && { steps: 0 }),
    corpus,
    resume: true,
  };
  const taken = [...anew.map((field) => optionOf[field] as string), ...beside];
  if (corpus.kind === 'tsv' && corpus.dev !== undefined) taken.push('dev');
  const stays = given.filter((name) => !taken.includes(name)).map(optionFlag);
  return { args, stays: [...(pairs === undefined || corpus !== kept.corpus ? [] : [pairs]), ...stays] };
}

/** A corpus whose files may have moved; itself where it has none, or keeps its pairs in the model folder. */
function movedCorpus(kept: CorpusArguments, pairs: string | undefined, dev: string | undefined): CorpusArguments {
  if (kept.kind !== 'tsv' || kept.keep || (pairs ?? dev) === undefined) return kept;
  return {
    ...kept,
    ...(pairs !== undefined && { path: resolve(pairs) }),
    ...(dev !== undefined && kept.dev !== undefined && { dev: resolve(dev) }),
  };
}

/** An option as it is written: `fuse` is what commander makes of --no-fuse. */
const optionFlag = (name: string): string => (name === 'fuse' ? '--no-fuse' : `--${flagOf(name)}`);
