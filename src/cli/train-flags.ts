// The options of heddle train, in their groups.

import { type Command, InvalidArgumentError, Option } from 'commander';
import { type DropoutRates, type ModelOptions, presets } from '../model/model-config.ts';
import type { Recipe } from '../train/recipes.ts';
import { type BestMetric, bestMetrics } from '../train/selection.ts';
import { type Precision, precisions } from '../trainer/precision.ts';
import { addUpdating, type UpdateFlags } from './optimizer-flags.ts';
import { addHostOptions, noFuseOption, notNegative, rate, setting, whole } from './parse-values.ts';
import type { HostOptions } from './run-command.ts';
import { addTuning, type TuningFlags } from './trainable-flags.ts';

/** Rates of dropout that were asked for: `all` at the places of the paper, the others each at its own. */
export type DropoutFlags = Partial<DropoutRates> & { readonly all?: number };

/** What commander makes of the options; those without a value here come from the recipe. */
export interface TrainOptions extends HostOptions, Partial<Omit<Recipe, 'dropout' | 'clip'>>, UpdateFlags, TuningFlags {
  corpus?: 'intl';
  dev?: string;
  sourceLocale: string;
  targetLocale: string;
  pairs: number;
  out?: string;
  tokens?: number;
  buckets: number;
  accumulate: number;
  dropout?: DropoutFlags;
  labelSmoothing?: number;
  set?: Partial<ModelOptions>;
  init: string;
  seed: number;
  heldOut: number;
  test: number;
  saveEvery: number;
  saveSeconds: number;
  best: BestMetric;
  patience: number;
  devSentences: number;
  resume?: boolean;
  force?: boolean;
  fuse: string[];
  checkpointLayers?: boolean;
  checkFinite?: boolean;
  precision: Precision;
  json?: string;
}

/** Adds all of them. */
export function addTrainOptions(command: Command): void {
  command
    .option('--out <dir>', 'model folder to write, or a .zip of one (default: runs/, and a name that is free)')
    .option('--force', 'replace the model that is in --out')
    .option(
      '--resume',
      'go on with the training in --out, with the settings it was started with; name its pairs where they have moved',
    )
    .option(
      '--eval-every <steps>',
      'evaluate on held-out sentences every so many steps and at the end, 0: never',
      whole(0),
    )
    .option(
      '--dev-sentences <n>',
      'of which so many, spread over them, are translated for BLEU, chrF and exact match',
      whole(0),
      200,
    )
    .addOption(
      new Option('--best <metric>', 'metric of those sentences by which the best weights are known, which are kept')
        .choices(bestMetrics)
        .default('loss'),
    )
    .option('--patience <n>', 'end after so many evaluations in a row that are no better, 0: never', whole(0), 0)
    .option('--save-every <steps>', 'also save every so many steps', whole(0), 0)
    .option(
      '--save-seconds <n>',
      'and every so many seconds, which take at most a fiftieth of the time, 0: never',
      notNegative,
      60,
    )
    .option('--json <file>', 'write what came out, all losses too, as JSON');
  addHostOptions(command);
  data(command);
  model(command);
  addTuning(command);
  course(command);
}

function data(command: Command): void {
  command
    .optionsGroup('Data:')
    .addOption(new Option('--corpus <name>', 'the built-in corpus, made from Unicode CLDR').choices(['intl']))
    .option('--source-locale <tag>', 'source language of the built-in corpus', 'en')
    .option('--target-locale <tag>', 'target language of the built-in corpus', 'es')
    .option('--pairs <n>', 'pairs of the built-in corpus', whole(10), 40_000)
    .option('--dev <pairs.tsv>', 'pairs to test on, instead of a part of the others')
    .option('--held-out <share>', 'share of sentences kept for development, and the same for the test', rate, 0.02)
    .option('--test <n>', 'held-out sentences, spread over them, that are translated at the end', whole(0), 500)
    .addOption(new Option('--tokenizer <kind>', 'what a token is').choices(['word', 'char', 'bpe']))
    .option('--vocab <n>', 'tokens of each vocabulary', whole(5));
}

function model(command: Command): void {
  command
    .optionsGroup('Model:')
    .addOption(new Option('--preset <name>', 'sizes of the model').choices(Object.keys(presets)))
    .option('--set <field=value>', 'a field of the model that differs from the preset; may be repeated', setting)
    .option(
      '--dropout <rates>',
      'at embeddings, attention, feed-forward and residuals; or of a place, as attention=0.2: embedding, attention, feedForward, residual, output; with commas between',
      dropoutRates,
    )
    .option('--label-smoothing <rate>', 'share of the target spread over the vocabulary', rate)
    .option(
      '--init <scheme|dir>',
      'initial weights: xavier, truncated-normal, or those of a model folder, heddle or BART or MarianMT, with its tokenizers',
      'xavier',
    );
}

function course(command: Command): void {
  command
    .optionsGroup('Training:')
    .option('--steps <n>', 'updates', whole(1))
    .option('--epochs <n>', 'times through the data, instead of --steps', whole(1))
    .option('--batch <rows>', 'sentences a batch', whole(1))
    .option('--tokens <n>', 'positions of the longer side a batch, instead of --batch', whole(1))
    .option('--buckets <n>', 'lengths that batches are padded to', whole(1), 2)
    .option('--accumulate <n>', 'batches an update', whole(1), 1);
  addUpdating(command);
  command
    .option('--seed <n>', 'decides weights, order, dropout and the corpus', whole(0), 1)
    .addOption(
      new Option(
        '--precision <type>',
        'f16: activations and weights of products as f16, with loss scaling; needs shader-f16',
      )
        .choices(precisions)
        .default('f32'),
    )
    .option('--checkpoint-layers', 'compute the inside of each layer again for its gradients: less memory, more work')
    .option(
      '--check-finite',
      'look at every tensor; stop at the first number that is not finite and say where it is from',
    )
    .addOption(noFuseOption());
}

const places = [
  'embedding',
  'attention',
  'feedForward',
  'residual',
  'output',
] as const satisfies (keyof DropoutRates)[];

function dropoutRates(text: string, before: DropoutFlags = {}): DropoutFlags {
  const one = (part: string): DropoutFlags => {
    const [name = '', value] = part.split('=', 2).map((x) => x.trim());
    if (value === undefined) return { all: rate(name) };
    const place = places.find((known) => known === name);
    if (!place)
      throw new InvalidArgumentError(`A rate, or one of ${places.join(', ')} with its rate, as attention=0.2.`);
    return { [place]: rate(value) };
  };
  return Object.assign({}, before, ...text.split(',').map(one));
}
