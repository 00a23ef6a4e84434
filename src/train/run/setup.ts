// Sets up a run before a device is opened: its arguments (new or from a checkpoint), its data and the model that
// it starts from.

import { check, HeddleError } from '../../core/errors.ts';
import { checkRewriteNames } from '../../engine/graph/rewrites.ts';
import { augmentRates, describeRates } from '../../features/corpora/augment/augment-rates.ts';
import type { Files } from '../../files/files.ts';
import { withoutUndefined } from '../../files/json-files.ts';
import { randomDigits, readManifest } from '../../files/owned-folder.ts';
import { loadModelFolder } from '../../formats/model-folder.ts';
import type { HfType } from '../../formats/shared/hf-types.ts';
import { hfConfigOf, retrainedCheckpoint, type SavedModel } from '../../formats/shared/saved-model.ts';
import type { InitScheme } from '../../model/initialize-weights.ts';
import { type ModelOptions, modelConfig } from '../../model/model-config.ts';
import type { ParameterList } from '../../model/parameter-layout.ts';
import { parameterList } from '../../model/parameters.ts';
import { sourceKindOf } from '../../model/source-kind.ts';
import { modelInLanguages, openModel } from '../../session/open-model.ts';
import { shapeName } from '../../text/batches/buckets.ts';
import { describeSkipped, describeUnknown } from '../../text/batches/encoded-corpus.ts';
import type { CorpusSession } from '../data/load-corpus.ts';
import { optimizerOf, scheduleOf } from '../settings/recipe-options.ts';
import { hasPackedBatches, initFolder, windowBatches } from '../settings/run-defaults.ts';
import type { CompleteArguments, TrainArguments } from '../settings/train-arguments.ts';
import { completeArguments, resumeArguments } from '../settings/train-arguments.ts';
import { optimizerConfig } from '../update/optimizer-config.ts';
import { decayEnd, type ScheduleConfig, scheduleConfig } from '../update/schedule.ts';
import type { Recipe } from '../update/trainer.ts';
import { updatesIn } from '../update/training-data.ts';
import { readTrainingState, type TrainingState } from '../update/training-state.ts';
import { checkBest } from './best-model.ts';
import { checkChanges } from './live-run.ts';
import type { CheckpointFolder, TrainInputs } from './train-result.ts';
import { type CorpusSetup, prepareCorpus } from './training-corpus.ts';

/** A training run before its first step. */
export interface Setup extends CorpusSetup {
  readonly args: CompleteArguments;
  /** The checkpoint to resume, and the training state in it; undefined for a new run. */
  readonly from: CheckpointFolder | undefined;
  readonly before: TrainingState | undefined;
  /** The model that is fine-tuned or resumed. */
  readonly start: SavedModel | undefined;
  readonly parameters: ParameterList;
  readonly recipe: Recipe;
  /** Number of updates, and of updates per epoch. */
  readonly steps: number;
  readonly perEpoch: number;
  /** Id of the run, which its checkpoints share; and of the run in `out` that it replaces, if there is one. */
  readonly runId: string;
  readonly replacedRunId: string | undefined;
}

/** Sets up a new run or a resumed one. Throws a HeddleError that names the option or the file. */
export async function setUp(
  given: TrainArguments,
  session: CorpusSession,
  from: CheckpointFolder | undefined,
  inputs: TrainInputs = {},
): Promise<Setup> {
  const log = (text: string) => session.emit({ type: 'message', text });
  const before = from && (await readTrainingState(from.files, from.folder));
  const complete = before ? resumeArguments(before, given, log) : completeArguments(given);
  checkRewriteNames(complete.noFuse);
  checkBest(complete);
  const start = await initialModel(complete, session, from, inputs.model);
  const fills = !before && start?.speech?.fillsWindow === true;
  const args = fills ? { ...complete, ...windowBatches(given) } : complete;
  const optimizer = optimizerConfig(optimizerOf(args));
  const scheduleIn = (steps: number, dModel: number) => scheduleConfig(scheduleOf(args), { steps, dModel });
  if (args.steps) scheduleIn(args.steps, 1); // a wrong schedule is found before the corpus is read
  const prepared = await prepareCorpus(args, session, from, before, start, inputs);
  const { config, source, target, corpus, batches } = prepared.data;
  const hasFrames = config.source === 'frames';
  check(
    hasFrames || (args.bestMetric !== 'wer' && args.bestMetric !== 'cer'),
    `train: bestMetric ${args.bestMetric} is for models of speech or images; use bleu or chrf`,
  );
  check(!hasFrames || !args.probe, 'train: probe is for sources of tokens');
  if (describeSkipped(corpus)) log(describeSkipped(corpus));
  if (!before && hasPackedBatches(given) && args.maxTokens !== undefined)
    log(
      `to save memory, batches have at most ${args.maxTokens} tokens, ${args.gradientAccumulationSteps} per update; ` +
        'give batchSize or maxTokens to change that',
    );
  const updates = (epochs: number) => updatesIn(epochs, batches.perEpoch, args.gradientAccumulationSteps);
  const steps = args.steps ?? updates(args.epochs ?? 1);
  const schedule = scheduleIn(steps, config.dModel);
  const recipe: Recipe = {
    optimizer,
    schedule,
    seed: args.seed,
    init: initFolder(args) === undefined ? (args.init as InitScheme) : 'xavier',
    gradientAccumulationSteps: args.gradientAccumulationSteps,
  };
  const parameters = parameterList(config, await sourceKindOf(config, session.features.sourceKinds));
  log(describeSetup({ data: prepared.data, parameters, steps }));
  const unknown = describeUnknown(corpus);
  if (unknown.tooMany)
    session.emit({
      type: 'warning',
      text: `more than 2 % ${unknown.text}; use a larger vocabSize, or the tokenizer bpe`,
    });
  if (args.augment) {
    const rates = augmentRates(args.augment);
    log(`augmentation: ${describeRates(rates) || 'none'}`);
    const { augmentProblems } = await import('./data-check.ts'); // only with augmentation
    for (const text of augmentProblems(rates, { source, target })) session.emit({ type: 'warning', text });
  }
  if (args.exportTo) {
    const { exportProblem } = await import('./export-check.ts'); // loads the formats
    const problem = exportProblem({ config, source, target }, args.exportTo);
    if (problem) session.emit({ type: 'warning', text: `exportTo: ${problem}` });
  }
  if (schedule.warmupSteps > steps)
    log(
      `the warm-up of ${schedule.warmupSteps} steps is longer than the run of ${steps}: the learning rate never reaches ${schedule.learningRate}; ` +
        'lower warmupSteps or raise steps',
    );
  const moved = before?.schedule && movedEnd(before.schedule, schedule);
  if (moved) log(moved);
  const run = { args, from, before, start, ...prepared, parameters, recipe, steps };
  checkChanges(run, log);
  const ids = await runIds(args.out, session.files, from);
  return { ...run, ...ids, perEpoch: updates(1) };
}

/** The sizes of a run in a line: pairs, vocabularies, parameters, steps and unknown tokens. */
export function describeSetup({
  data,
  parameters,
  steps,
}: Pick<Setup, 'data' | 'parameters' | 'steps'>): string {
  const { corpus, source, target, shapes } = data;
  return (
    `${corpus.count} training ${corpus.count === 1 ? 'pair' : 'pairs'}, vocabularies of ${source.size} and ${target.size} tokens, ` +
    `${parameters.count.toLocaleString('en')} parameters, ${steps} ${steps === 1 ? 'step' : 'steps'} of ${shapes.map(shapeName).join(', ')}; ` +
    describeUnknown(corpus).text
  );
}

/** The id of a run: that of its checkpoint, or a new one. */
async function runIds(
  out: string,
  files: Files,
  from: CheckpointFolder | undefined,
): Promise<Pick<Setup, 'runId' | 'replacedRunId'>> {
  const idIn = async ({ files, folder }: CheckpointFolder) => (await readManifest(files, folder))?.run;
  const runId = (from && (await idIn(from))) ?? randomDigits(32);
  const replacedRunId = out && !from ? await idIn({ files, folder: out }) : undefined;
  return { runId, replacedRunId };
}

/**
 * A message if the last step of a decaying schedule has changed: the run then differs from an uninterrupted
 * run.
 */
function movedEnd(before: ScheduleConfig, now: ScheduleConfig): string | undefined {
  const [then, end] = [decayEnd(before), decayEnd(now)];
  if (then === undefined || then === end) return undefined;
  return `the ${now.kind} schedule now ends at step ${end}, before it was ${then}: not as in a run of ${end} steps; start with scheduleSteps ${end}`;
}

/** Fields of the model configuration that fine-tuning may change. */
const changeable = ['dropout', 'labelSmoothing'] as const;

/**
 * The model that a run starts from: the model in the checkpoint, or the model of `init` with new dropout and
 * label smoothing; undefined for a new model. A resumed run uses the tokenizers of its checkpoint, since
 * tokenizers that are trained again could differ. The checkpoint of a LoRA adapter has no model, so the base
 * model is loaded from `init`. `given`: the model of `init`, if the caller has loaded it. Throws a
 * HeddleError for options that the model determines.
 */
async function initialModel(
  args: CompleteArguments,
  session: CorpusSession,
  checkpoint: CheckpointFolder | undefined,
  given: SavedModel | undefined,
): Promise<SavedModel | undefined> {
  if (checkpoint && !args.lora) return loadModelFolder(checkpoint.files, checkpoint.folder, session.features);
  const folder = initFolder(args);
  if (folder === undefined) return undefined;
  const { dropout, labelSmoothing, model } = args;
  const fields: Partial<ModelOptions> = {
    ...withoutUndefined<unknown>({ dropout, labelSmoothing }),
    ...model,
  };
  const fixed = Object.keys(fields).filter((field) => !(changeable as readonly string[]).includes(field));
  if (fixed.length > 0)
    throw new HeddleError(
      `train: the model in ${folder} has its own ${fixed.join(', ')}; only ${changeable.join(' and ')} may be set`,
    );
  const { sourceLang, targetLang } = args;
  const languages = { sourceLang, targetLang };
  // Base weights of a LoRA adapter that are not f32 are read in parts and quantized, so all of them are never
  // in memory as f32.
  const inParts = args.lora !== undefined && (args.weights ?? 'f32') !== 'f32';
  const opened = given ?? (await openModel(folder, session, { inParts }));
  await opened.verified;
  // The languages of speech are tokens of its prompts.
  const base = opened.speech ? opened : await modelInLanguages(opened, languages);
  const { sourceCheckpoint, config } = base;
  const hf = hfConfigOf(base);
  for (const field of ['encoder_layerdrop', 'decoder_layerdrop'])
    if (hf?.[field])
      throw new HeddleError(
        `${folder}: ${field} is ${hf[field]}; training with layer dropout is not supported`,
      );
  check(
    checkpoint || (args.maxLength ?? 0) <= config.maxLength,
    `train: maxLength (${args.maxLength}) is above the ${config.maxLength} positions of the model in ${folder}; lower it`,
  );
  const { dropout: places } = modelConfig({ ...config, ...fields });
  // T5 has a single rate for all places.
  const type = hf?.model_type as HfType | undefined;
  const isT5 =
    type !== undefined && (await import('../../formats/hf/hf-families.ts')).hfFamilies[type].like === 't5';
  const rates =
    isT5 && typeof fields.dropout === 'number' ? { memory: fields.dropout, output: fields.dropout } : {};
  return {
    ...base,
    config: modelConfig({
      ...config,
      ...fields,
      dropout: { ...places, ...rates },
      alignmentHead:
        args.guidedAlignment === undefined ? config.alignmentHead : Math.max(0, config.alignmentHead),
    }),
    sourceCheckpoint: sourceCheckpoint && retrainedCheckpoint(sourceCheckpoint),
  };
}
