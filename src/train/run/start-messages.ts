// The messages of a run at its start, about its settings, data and length. Only this file turns facts into sentences.

import { counted, filePath, listed, type Message, msg, option } from '../../core/message.ts';
import type { ParameterList } from '../../model/parameter-layout.ts';
import { shapeName } from '../../text/batches/buckets.ts';
import { describeSkipped, describeUnknown } from '../../text/batches/encoded-corpus.ts';
import type { CacheProblem } from '../data/cache-file.ts';
import type { CorpusSession } from '../data/corpus-arguments.ts';
import type { TrainingData } from '../data/training-data.ts';
import { formatChanges, parseChanges } from '../report/run-changes.ts';
import { hasPackedBatches } from '../settings/run-defaults.ts';
import type { CompleteArguments, ResumedArguments } from '../settings/train-arguments.ts';
import type { TrainSettings } from '../settings/train-settings.ts';
import type { Recipe } from '../settings/training-recipe.ts';
import { decayEnd, type ScheduleConfig } from '../update/schedule.ts';
import type { UpdateConfig } from '../update/trainer-graphs.ts';
import type { OpenCheckpoint } from './open-checkpoint.ts';
import { changedPairs, type RunData } from './open-data.ts';

type Emit = Pick<CorpusSession, 'emit'>;

/** The sizes of a run. */
interface RunSizes {
  readonly data: TrainingData;
  readonly parameters: ParameterList;
  /** Number of updates. */
  readonly steps: number;
}

/** A run that starts: its sizes, its settings and its schedule, and that of its checkpoint. */
interface StartingRun extends RunSizes, Pick<RunData, 'facts' | 'fingerprint'> {
  readonly data: TrainingData;
  readonly recipe: Recipe;
  readonly args: CompleteArguments;
  readonly checkpoint: Pick<OpenCheckpoint, 'state'> | undefined;
  readonly resumed: ResumedArguments | undefined;
  readonly update: UpdateConfig;
  readonly modelWarnings: readonly Message[];
}

/** Says with which settings a run is resumed. */
function reportResumed({ args, changed, ignored }: ResumedArguments, { emit }: Emit): void {
  const text = (value: unknown) => JSON.stringify(value ?? 'not set').replaceAll('"', '');
  if (changed.length > 0)
    emit({
      type: 'message',
      text: msg`${args.out} resumes with other settings: ${listed(
        changed.map(({ name, now, before }) => msg`${option(name)} ${text(now)} (was ${text(before)})`),
      )}`,
    });
  if (ignored.length > 0)
    emit({
      type: 'message',
      text: msg`${args.out} resumes with its own settings; ignored: ${listed(ignored.map((name) => option(name)))}`,
    });
}

/** Why cached token ids are not used. */
const cacheProblems: Readonly<Record<CacheProblem, Message>> = {
  damaged: msg`it is damaged`,
  outdated: msg`it has other pairs, tokenizers or settings`,
};

/** Says what is worth knowing about the data of a run. */
function reportData(run: StartingRun, { emit }: Emit): void {
  const { data, facts, fingerprint } = run;
  const { unusableCache, warnings, otherVersion } = facts;
  if (unusableCache)
    emit({
      type: 'message',
      text: msg`${filePath(unusableCache.path)}: ${cacheProblems[unusableCache.problem]}; tokenizing again`,
    });
  for (const text of warnings) emit({ type: 'warning', text });
  if (otherVersion)
    emit({
      type: 'warning',
      text: msg`the built-in corpus has another version: ${changedPairs(otherVersion, fingerprint)}; the run goes on with other bits`,
    });
  const skipped = describeSkipped(data.corpus);
  if (skipped) emit({ type: 'message', text: skipped });
}

/** Says what is worth knowing about a run that starts: its data, its sizes, its length. `given`: the settings of the caller. */
export function reportStart(run: StartingRun, given: TrainSettings, session: Emit): void {
  if (run.resumed) reportResumed(run.resumed, session);
  reportData(run, session);
  const { emit } = session;
  const { args, recipe, data, checkpoint, update, steps } = run;
  const { schedule } = update;
  if (!checkpoint && hasPackedBatches(given) && args.maxTokens !== undefined)
    emit({
      type: 'message',
      text: msg`to save memory, batches have at most ${args.maxTokens} tokens, ${args.gradientAccumulationSteps} per update; give ${option('batchSize')} or ${option('maxTokens')} to change that`,
    });
  emit({ type: 'message', text: describeSizes(run) });
  const unknown = describeUnknown(data.corpus);
  if (unknown.tooMany)
    emit({
      type: 'warning',
      text: msg`more than 2 % ${unknown.text}; use a larger ${option('vocabSize')}, or the ${option('tokenizer')} bpe`,
    });
  for (const step of recipe.dataSteps) {
    const described = step.describe?.(args);
    if (described) emit({ type: 'message', text: described });
    for (const text of step.warnings?.(args, data) ?? []) emit({ type: 'warning', text });
  }
  for (const text of run.modelWarnings) emit({ type: 'warning', text });
  if (schedule.warmupSteps > steps)
    emit({
      type: 'message',
      text: msg`the warm-up of ${schedule.warmupSteps} steps is longer than the run of ${steps}: the learning rate never reaches ${schedule.learningRate}; lower ${option('warmupSteps')} or raise ${option('steps')}`,
    });
  const before = checkpoint?.state.schedule;
  const moved = before && movedEnd(before, schedule);
  if (moved) emit({ type: 'message', text: moved });
  const late = parseChanges(args.changes).filter(({ step }) => step > steps);
  if (late.length > 0)
    emit({
      type: 'message',
      text: msg`changes after the last step, ${steps}, have no effect: ${formatChanges(late)}`,
    });
}

/** The sizes of a run in a line: pairs, vocabularies, parameters, steps and unknown tokens. */
function describeSizes({ data, parameters, steps }: RunSizes): Message {
  const { corpus, source, target, batches } = data;
  const pairs = counted(corpus.count, '{0} training pair', '{0} training pairs');
  const length = counted(steps, '{0} step', '{0} steps');
  return msg`${pairs}, vocabularies of ${source.size} and ${target.size} tokens, ${parameters.count.toLocaleString('en')} parameters, ${length} of ${listed(batches.shapes.map(shapeName))}; ${describeUnknown(corpus).text}`;
}

/**
 * A message if the last step of a decaying schedule has changed: the run then differs from an uninterrupted
 * run.
 */
function movedEnd(before: ScheduleConfig, now: ScheduleConfig) {
  const [then, end] = [decayEnd(before), decayEnd(now)];
  if (then === undefined || end === undefined || then === end) return undefined;
  return msg`the ${now.kind} schedule now ends at step ${end}, before it was ${then}: not as in a run of ${end} steps; start with ${option('scheduleSteps')} ${end}`;
}
