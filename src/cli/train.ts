// heddle train

import { type Command, Option } from 'commander';
import { HeddleError } from '../errors.ts';
import { archiveFiles } from '../formats/archive-files.ts';
import { writeText } from '../formats/files.ts';
import { nodeFiles } from '../host/node-files.ts';
import { type BestMetric, bestMetrics } from '../jobs/best.ts';
import type { TrainArguments, TrainResult } from '../jobs/train.ts';
import { type ModelOptions, presets } from '../model/config.ts';
import { initSchemes } from '../model/parameters.ts';
import { readTrainingState } from '../train/checkpoint.ts';
import { optimizerNames } from '../train/optimizer.ts';
import { type Precision, precisions } from '../train/precision.ts';
import { scheduleNames } from '../train/schedule.ts';
import { outFolder } from './out-folder.ts';
import { mib, print, short } from './output.ts';
import { addHostOptions, notNegative, positive, rate, setting, whole } from './parse.ts';
import { type Recipe, recipeFor } from './recipes.ts';
import { type HostOptions, runWithProgress } from './run.ts';
import { addTuning, checkPlaces, type TuningFlags, tuningOf } from './tuning.ts';

/** What commander makes of the options; those without a value here come from the recipe. */
interface Options extends HostOptions, Partial<Recipe>, TuningFlags {
  corpus?: 'intl';
  dev?: string;
  sourceLocale: string;
  targetLocale: string;
  pairs: number;
  out?: string;
  tokens?: number;
  buckets: number;
  accumulate: number;
  weightDecay?: number;
  clip?: number;
  ema?: number;
  warmup?: number;
  dropout?: number;
  labelSmoothing?: number;
  set?: Partial<ModelOptions>;
  init: string;
  seed: number;
  heldOut: number;
  test: number;
  saveEvery: number;
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

/** Adds the command `train`. */
export function addTrain(program: Command): void {
  const command = program
    .command('train')
    .description('train a translator, on pairs or on the built-in corpus, and save it as a model folder')
    .argument('[pairs.tsv]', 'source, tab, target on each line; without it, the built-in corpus')
    .option('--out <dir>', 'model folder to write, or a .zip of one (default: runs/, and a name that is free)')
    .option('--force', 'replace the model that is in --out')
    .option('--resume', 'go on with the training in --out, with the settings it was started with')
    .option(
      '--eval-every <steps>',
      'evaluate on held-out sentences every so many steps and at the end, 0: never',
      whole(0),
    )
    .option('--dev-sentences <n>', 'of which so many are translated for BLEU, chrF and exact match', whole(0), 200)
    .addOption(
      new Option('--best <metric>', 'metric of those sentences by which the best weights are known, which are kept')
        .choices(bestMetrics)
        .default('loss'),
    )
    .option('--patience <n>', 'end after so many evaluations in a row that are no better, 0: never', whole(0), 0)
    .option('--save-every <steps>', 'also save every so many steps', whole(0), 0)
    .option('--json <file>', 'write what came out, all losses too, as JSON');
  addHostOptions(command);
  data(command);
  model(command);
  addTuning(command);
  course(command);
  command.action((pairs: string | undefined, options: Options) => run(pairs, options));
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
    .option('--test <n>', 'held-out sentences that are translated at the end', whole(0), 500)
    .addOption(new Option('--tokenizer <kind>', 'what a token is').choices(['word', 'char', 'bpe']))
    .option('--vocab <n>', 'tokens of each vocabulary', whole(5));
}

function model(command: Command): void {
  command
    .optionsGroup('Model:')
    .addOption(new Option('--preset <name>', 'sizes of the model').choices(Object.keys(presets)))
    .option('--set <field=value>', 'a field of the model that differs from the preset; may be repeated', setting)
    .option('--dropout <rate>', 'at embeddings, attention, feed-forward and residuals', rate)
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
    .option('--accumulate <n>', 'batches an update', whole(1), 1)
    .addOption(new Option('--optimizer <name>', 'update rule').choices(optimizerNames))
    .option('--lr <rate>', 'learning rate; for noam the factor before its formula', positive)
    .addOption(new Option('--schedule <name>', 'how the learning rate goes').choices(scheduleNames))
    .option('--warmup <steps>', 'steps over which the learning rate rises', whole(0))
    .option('--weight-decay <rate>', 'decoupled for adamw; none on biases and norms', notNegative)
    .option('--clip <norm>', 'largest norm of the gradients, 0: no limit (default: 1)', notNegative)
    .option('--ema <decay>', 'keep a moving average of the weights, which is what is evaluated and saved', rate)
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
    .option('--no-fuse <rewrite...>', 'leave out these rewrites of the graph', []);
}

async function run(pairs: string | undefined, options: Options): Promise<void> {
  if (pairs !== undefined && options.corpus)
    throw new HeddleError('train: give a file of pairs or --corpus intl, not both');
  const files = archiveFiles(nodeFiles());
  const name = pairs ? nameOf(pairs) : `intl-${options.sourceLocale}-${options.targetLocale}`;
  const out = await outFolder(files, name, options);
  const args = { ...argumentsOf(pairs, options), out };
  checkPlaces(args);
  const { corpus, lora, initFrom } = options.resume
    ? ((await readTrainingState(files, out)).arguments as TrainArguments)
    : args;
  if (args.initFrom && !options.resume && !(await files.exists(args.initFrom)))
    throw new HeddleError(`--init ${args.initFrom}: neither ${initSchemes.join(' nor ')} nor a folder that is there`);
  const read = initFrom && (lora || !options.resume) ? [initFrom] : [];
  const paths = [out, ...read, ...(corpus.kind === 'tsv' ? [corpus.path, corpus.dev ?? corpus.path] : [])];
  const result = await runWithProgress('train', args, options, paths);
  if (options.json) await writeText(files, options.json, `${JSON.stringify(result, undefined, 1)}\n`);
  print(describe(result));
}

/** File name without folder and ending. */
const nameOf = (path: string): string => path.replace(/^.*[\\/]/, '').replace(/\.[^.]+$/, '') || 'model';

function argumentsOf(pairs: string | undefined, o: Options): TrainArguments {
  const start = startOf(o);
  const recipe = recipeFor(start.initFrom ? 'further' : pairs === undefined ? 'intl' : 'pairs', o);
  const { dropout = recipe.dropout, labelSmoothing, set } = o;
  return {
    corpus:
      pairs === undefined
        ? { kind: 'intl', source: o.sourceLocale, target: o.targetLocale, pairs: o.pairs, seed: o.seed }
        : { kind: 'tsv', path: pairs, ...(o.dev !== undefined && { dev: o.dev }) },
    heldOut: o.heldOut,
    preset: recipe.preset,
    model: {
      ...(recipe.norm !== undefined && { norm: recipe.norm }),
      ...(dropout !== undefined && { dropout }),
      ...(labelSmoothing !== undefined && { labelSmoothing }),
      ...set,
    },
    tokenizer: {
      kind: recipe.tokenizer,
      size: recipe.vocab,
      ...(recipe.lowercase !== undefined && { lowercase: recipe.lowercase }),
    },
    ...lengthOf(recipe, o),
    batch: o.tokens === undefined ? recipe.batch : 0,
    tokens: o.tokens ?? 0,
    buckets: o.buckets,
    accumulate: o.accumulate,
    optimizer: {
      kind: recipe.optimizer,
      ...(o.weightDecay !== undefined && { weightDecay: o.weightDecay }),
      ...(o.clip !== undefined && { clipNorm: o.clip }),
      ...(o.ema !== undefined && { emaDecay: o.ema }),
    },
    schedule: {
      kind: recipe.schedule,
      learningRate: recipe.lr,
      ...(o.warmup !== undefined && { warmup: o.warmup }),
    },
    seed: o.seed,
    ...start,
    ...tuningOf(o, start.initFrom),
    testSentences: o.test,
    out: '',
    saveEvery: o.saveEvery,
    evalEvery: recipe.evalEvery,
    devSentences: o.devSentences,
    metric: o.best,
    patience: o.patience,
    resume: o.resume === true,
    noFuse: o.fuse,
    ...(o.checkpointLayers && { checkpointLayers: true }),
    ...(o.checkFinite && { checkFinite: true }),
    ...(o.precision !== 'f32' && { precision: o.precision }),
  };
}

/** A scheme of initial weights, or the folder of a model, which has decided its sizes and tokenizers. */
function startOf({ init, preset, tokenizer, vocab }: Options): Pick<TrainArguments, 'init' | 'initFrom'> {
  const scheme = initSchemes.find((name) => name === init);
  if (scheme) return { init: scheme };
  for (const [flag, value] of Object.entries({ preset, tokenizer, vocab }))
    if (value !== undefined)
      throw new HeddleError(`--${flag} ${value}: the model in ${init} has its own; leave it out, or --init`);
  return { init: 'xavier', initFrom: init.replace(/(?<=.)[\\/]+$/, '') };
}

/** Steps or epochs; a training that is resumed has its own unless others are asked for. */
function lengthOf(recipe: Recipe, o: Options): Pick<TrainArguments, 'steps' | 'epochs'> {
  if (o.resume) return { steps: o.steps ?? 0, epochs: o.epochs ?? 0 };
  if (o.epochs !== undefined) return { steps: o.steps ?? 0, epochs: o.epochs };
  return { steps: recipe.steps ?? 0, epochs: recipe.epochs ?? 0 };
}

/** What a person wants to know at the end: a dozen translations, how many were right, and where the model is. */
function describe(r: TrainResult): string {
  const { evaluation: e } = r;
  const samples = (e?.samples ?? [])
    .slice(0, 12)
    .flatMap(({ source, reference, translation, exact }) => [
      `  ${source}`,
      exact ? `  = ${translation}` : `  → ${translation}\n  ≠ ${reference}`,
      '',
    ]);
  const speed = `${r.steps} steps in ${r.trainSeconds.toFixed(1)} s, ${Math.round(r.tokensPerSecond)} tokens/s`;
  return [
    ...(e ? [`${e.sentences} sentences that were never seen, the first of them:`, '', ...samples] : []),
    ...(e
      ? [
          `exact match  ${(100 * e.exactMatch).toFixed(1)} % of ${e.sentences}`,
          `BLEU, chrF2  ${e.bleu.toFixed(2)}, ${e.chrf.toFixed(2)}`,
        ]
      : []),
    `loss         ${short(r.losses.at(-1) ?? Number.NaN)}`,
    `training     ${speed}, ${mib(r.peakBytes)}, ${r.dispatches} dispatches a step${r.stopped ? '; ended early' : ''}`,
    r.adapterOf === undefined
      ? `model        ${r.out} (heddle translate ${r.out} "...")`
      : `adapter      ${r.out} (heddle translate ${r.adapterOf} --adapter ${r.out} "...")`,
    `report       ${r.out}/report.html, its figures in log.jsonl`,
  ].join('\n');
}
