// Arguments of a resumed run: those in the checkpoint, with the new values of settings that may change. Also
// reads the arguments that older versions wrote.

import { check } from '../../core/errors.ts';
import { isObject, withoutUndefined } from '../../files/json-files.ts';
import { formatChanges, parseChanges, withoutSettings } from '../report/run-changes.ts';
import { checkpointNames, type TrainingState } from '../update/training-state.ts';
import type { SettingName } from './settings.ts';
import type { CompleteArguments, TrainArguments } from './train-arguments.ts';
import type { TrainSettings } from './train-settings.ts';
import { resumableSettings, settingDefaults, settingFlag, settingOf, settingRows } from './train-settings.ts';

/**
 * The arguments in the checkpoint, with the new values of settings that may change; logs the others. Files of
 * pairs may have new paths. Without new steps or epochs the run keeps its length. Throws a HeddleError if the
 * checkpoint has no arguments.
 */
export function resumeArguments(
  before: TrainingState,
  { corpus, out = '', resume: _, ...given }: TrainArguments,
  log: (text: string) => void,
): CompleteArguments {
  const saved = startArguments(before, out);
  const { steps, epochs, batchSize, maxTokens, changes: made, ...others } = saved;
  const length = given.steps !== undefined || given.epochs !== undefined ? {} : { steps, epochs };
  const batch =
    given.batchSize !== undefined || given.maxTokens !== undefined ? {} : { batchSize, maxTokens };
  const { changes: repeated = made, ...changed } = Object.fromEntries(
    resumableSettings.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])),
  ) as TrainSettings;
  // Drop settings that the new schedule does not have.
  const schedule = given.schedule ?? saved.schedule;
  for (const [name, { onlyFor = [] as readonly string[] }] of settingRows)
    if (onlyFor[0] === 'schedule' && !onlyFor.includes(schedule))
      delete (others as Record<string, unknown>)[name];
  const replaced = resumableSettings.filter(
    (name) => given[name] !== undefined && given[name] !== saved[name],
  );
  const news = replaced.map((name) => {
    const [now, before = 'not set'] = [given[name], saved[name]].map((value) => JSON.stringify(value));
    return `${settingFlag(name)} ${now} (was ${before})`;
  });
  if (news.length > 0) log(`${out} resumes with other settings: ${news.join(', ').replaceAll('"', '')}`);
  const ignored = ignoredSettings(saved, given);
  if (ignored.length > 0)
    log(`${out} resumes with its own settings; ignored: ${ignored.map(settingFlag).join(', ')}`);
  const moved = saved.corpus.kind === corpus.kind && corpus.kind !== 'intl' && corpus.kind !== 'task';
  // A new value replaces the changes of that setting during the run.
  const changes = formatChanges(withoutSettings(parseChanges(repeated), replaced));
  return {
    ...others,
    ...length,
    ...batch,
    ...changed,
    ...(changes && { changes }),
    corpus: moved ? corpus : saved.corpus,
    out,
    resume: true,
  } as CompleteArguments;
}

/** Settings that differ from those of the checkpoint and may not change. */
const ignoredSettings = (kept: TrainSettings, given: TrainSettings): SettingName[] =>
  settingRows.flatMap(([name, { resume }]) => {
    const value = settingOf(given, name);
    return resume || value === undefined || JSON.stringify(value) === JSON.stringify(settingOf(kept, name))
      ? []
      : [name];
  });

/** The arguments in the checkpoint in `folder`. Throws a HeddleError if it has none. */
export function startArguments({ arguments: args }: TrainingState, folder: string): CompleteArguments {
  check(
    isObject(args) && 'corpus' in args && 'schedule' in args,
    `${folder}: ${checkpointNames.state} has no arguments of the run; train without --resume`,
  );
  return { ...settingDefaults, ...(isObject(args.schedule) ? upgraded(args) : args) } as CompleteArguments;
}

/** Old names of fields by their current names. */
const renamed = {
  batchSize: 'batch',
  maxTokens: 'tokens',
  gradientAccumulationSteps: 'accumulate',
  gradientCheckpointing: 'checkpointLayers',
  evalSteps: 'evalEvery',
  bestMetric: 'metric',
  saveSteps: 'saveEvery',
} as const;

/**
 * Converts arguments of heddle 0.x: optimizer, schedule and tokenizer were objects, and 0 meant "not set".
 */
function upgraded(old: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const part = (name: string) => (isObject(old[name]) ? old[name] : {});
  const { kind: optimizer = 'adamw', beta1, beta2, ...optimizerFields } = part('optimizer');
  const { kind: schedule = 'constant', learningRate, warmup, floor, steps: scheduleSteps } = part('schedule');
  const { kind: tokenizer, size: vocabSize, lowercase, fill } = part('tokenizer');
  const { targets, ...lora } = part('lora');
  const { tokenizer: _, initFrom, steps, epochs, ...fields } = old;
  const names = Object.entries(renamed);
  const current: Record<string, unknown> = {
    ...Object.fromEntries(
      Object.entries(fields).filter(([name]) => !names.some(([, former]) => former === name)),
    ),
    ...Object.fromEntries(names.map(([name, former]) => [name, old[former] || undefined])),
    steps: steps || undefined,
    epochs: steps ? undefined : epochs,
    evalSteps: old.evalEvery,
    saveSteps: old.saveEvery,
    optimizer,
    ...optimizerFields,
    betas: beta1 === undefined && beta2 === undefined ? undefined : [beta1 ?? 0.9, beta2 ?? 0.98],
    schedule,
    learningRate,
    warmupSteps: warmup,
    minLearningRate: floor,
    scheduleSteps,
    tokenizer,
    vocabSize,
    lowercase,
    fillVocab: fill,
    init: initFrom ?? old.init,
    lora: old.lora && { ...lora, targetModules: targets },
  };
  return withoutUndefined(current);
}
