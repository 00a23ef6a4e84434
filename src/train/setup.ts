// A training before any device is opened: its arguments, also those of a checkpoint that it goes on from, its data, its recipe.

import { check, HeddleError } from '../core/errors.ts';
import { checkRewriteNames } from '../graph/rewrites.ts';
import { type ModelOptions, presets } from '../model/model-config.ts';
import type { ParameterList } from '../model/parameter-layout.ts';
import { parameterList } from '../model/parameters.ts';
import type { JobContext } from '../runtime/job.ts';
import { readKeptCorpus } from '../runtime/load-corpus.ts';
import { describeLeftOut } from '../text/batches/encoded-corpus.ts';
import { type Fingerprint, fingerprint, type Split } from '../text/corpus/pairs.ts';
import { optimizerConfig } from '../trainer/optimizer-config.ts';
import { scaling } from '../trainer/precision.ts';
import { fallsTo, type ScheduleConfig, scheduleConfig } from '../trainer/schedule.ts';
import type { Recipe } from '../trainer/trainer.ts';
import { prepareTrainingData, type TrainingData, updatesIn } from '../trainer/training-data.ts';
import { readTrainingState, type TrainingState } from '../trainer/training-state.ts';
import type { CheckpointFolder } from './checkpointer.ts';
import { resumed } from './checkpoints.ts';
import { startFrom } from './initial-model.ts';
import { corpusName, shapeName } from './logging.ts';
import { checkBest } from './selection.ts';
import type { TrainArguments } from './settings.ts';

/** What a training has before its first step. */
export interface Setup {
  readonly args: TrainArguments;
  /** The checkpoint that it goes on from, if it does. */
  readonly from: CheckpointFolder | undefined;
  readonly before: TrainingState | undefined;
  /** The model that it begins with, if not with weights of its own. */
  readonly start: Awaited<ReturnType<typeof startFrom>>;
  readonly split: Split;
  /** Files that the model folder is to have. */
  readonly keep: Readonly<Record<string, Uint8Array>>;
  /** What tells the training part from other pairs. */
  readonly data: Fingerprint;
  readonly task: TrainingData;
  readonly parameters: ParameterList;
  readonly recipe: Recipe;
  /** Updates in all, and in an epoch. */
  readonly steps: number;
  readonly perEpoch: number;
}

/** Prepares a training that begins, or goes on from a checkpoint. Throws a HeddleError that names the argument or the file. */
export async function setUp(
  given: TrainArguments,
  context: JobContext,
  from: CheckpointFolder | undefined,
): Promise<Setup> {
  const log = (text: string) => context.emit({ type: 'log', text });
  const before = from && (await readTrainingState(from.files, from.folder));
  const args = before ? resumed(before, given) : given;
  checkRewriteNames(args.noFuse);
  checkBest(args);
  const { split, keep } = await readKeptCorpus(args.corpus, args.heldOut, context, from);
  check(split.train.length > 0, 'train: no pairs are left to train on; hold out less');
  const data = fingerprint(split.train);
  checkPairs(before?.data, data, args, context);
  const preset: Partial<ModelOptions> = presets[args.preset];
  const start = await startFrom(args, context, from);
  const task = prepareTrainingData(split.train, { ...args, model: { ...preset, ...args.model } }, start);
  const { config, source, target, corpus, shapes, batches } = task;
  if (describeLeftOut(corpus)) log(describeLeftOut(corpus));
  const updates = (epochs: number) => updatesIn(epochs, batches.perEpoch, args.accumulate);
  const steps = args.steps > 0 ? args.steps : updates(args.epochs);
  const schedule = scheduleConfig(args.schedule, { steps, dModel: config.dModel });
  const recipe: Recipe = {
    optimizer: optimizerConfig({ ...scaling(args.precision), ...args.optimizer }),
    schedule,
    seed: args.seed,
    init: args.init,
    gradientAccumulationSteps: args.accumulate,
  };
  const parameters = parameterList(config);
  log(
    `${split.train.length} pairs to learn from, vocabularies ${source.size} and ${target.size}, ` +
      `${parameters.count.toLocaleString('en')} parameters, ${steps} steps of ${shapes.map(shapeName).join(', ')}`,
  );
  const moved = before?.schedule && movedEnd(before.schedule, schedule);
  if (moved) log(moved);
  return { args, from, before, start, split, keep, data, task, parameters, recipe, steps, perEpoch: updates(1) };
}

/**
 * Holds pairs against those that a training was started with, which an older checkpoint does not know. Throws a HeddleError for another
 * file; only tells of another Unicode CLDR, since nobody can bring back the one of a browser that has renewed itself.
 */
function checkPairs(
  before: Fingerprint | undefined,
  now: Fingerprint,
  args: TrainArguments,
  context: JobContext,
): void {
  const { corpus, out } = args;
  if (!before || (before.pairs === now.pairs && before.hash === now.hash)) return;
  const counts = before.pairs === now.pairs ? `as many, ${now.pairs}` : `${before.pairs} then, ${now.pairs} now`;
  const others = `these are not the pairs that the training was started with (to learn from: ${counts})`;
  if (corpus.kind === 'tsv')
    throw new HeddleError(
      `${corpus.path}: ${others}; put that file back or name where it is, heddle train FILE --resume --out ${out}, ` +
        `or train the model further on these: heddle train ${corpus.path} --init ${out}`,
    );
  const text = `${corpusName(corpus)}: ${others}, since this is another version of it: training goes on, not in the bits of one go`;
  context.emit({ type: 'log', text });
  context.live?.warning(text);
}

/** A line where a schedule that falls to the last step falls to another than before, so that it is not as in one go. */
function movedEnd(before: ScheduleConfig, now: ScheduleConfig): string | undefined {
  const [then, end] = [fallsTo(before), fallsTo(now)];
  if (then === undefined || then === end) return undefined;
  return (
    `the ${now.kind} schedule ends at step ${end} from here on, it did at ${then}: not the bits of ${end} steps in one go; ` +
    `for these start with --schedule-steps ${end}`
  );
}
