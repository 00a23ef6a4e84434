// Arguments of a training run: those of a new run, with all defaults, and those of a resumed run, which has the
// arguments in its checkpoint, with the new values of settings that may change.

import { check } from '../../core/errors.ts';
import { isObject } from '../../files/json-files.ts';
import { checkpointNames } from '../../files/model-file.ts';
import { loraConfig } from '../../model/lora.ts';
import type { CorpusArguments } from '../data/load-corpus.ts';
import { formatChanges, parseChanges, withoutSettings } from '../report/run-changes.ts';
import type { TrainingState } from '../update/training-state.ts';
import { type CompleteSettings, completeSettings, initFolder, runKindOf } from './run-defaults.ts';
import type { SettingName } from './settings.ts';
import type { TrainSettings } from './train-settings.ts';
import {
  checkSettings,
  resumableSettings,
  settingDefaults,
  settingFlag,
  settingOf,
  settingRows,
} from './train-settings.ts';

/** Arguments of a training run. Omitted settings have the defaults of run-defaults.ts. */
export type TrainArguments = TrainSettings & {
  readonly corpus: CorpusArguments;
  /** Model folder to write; none if empty. */
  readonly out: string;
  /**
   * Whether to resume from the checkpoint in `out`, with its settings except new values of
   * `resumableSettings`.
   */
  readonly resume?: boolean;
};

/** Arguments with all defaults, as in a checkpoint and in the log. */
export type CompleteArguments = CompleteSettings &
  Required<Pick<TrainArguments, 'corpus' | 'out' | 'resume'>>;

/** The corpus in the checkpoint and the log of a run on pairs of a program; nothing reads this file. */
export const pairsOfCaller: CorpusArguments = { kind: 'tsv', path: 'pairs' };

/** Whether a run had the pairs of a program. */
export const isOfCaller = (corpus: CorpusArguments): boolean =>
  corpus.kind === 'tsv' && !corpus.keep && corpus.path === 'pairs';

/** The arguments of a new run with all defaults. Throws a HeddleError for options that exclude each other. */
export function completeArguments({
  corpus,
  out = '',
  resume = false,
  ...given
}: TrainArguments): CompleteArguments {
  const complete = completeSettings(
    given,
    runKindOf(corpus.kind, corpus.kind === 'task' ? corpus.task : undefined),
  );
  const folder = initFolder(complete);
  for (const option of ['sourceLang', 'targetLang'] as const)
    check(
      complete[option] === undefined || folder !== undefined,
      `train: ${option} (${complete[option]}) needs a multilingual model; name its folder with init`,
    );
  check(
    !complete.lora || !complete.freeze,
    `train: freeze (${complete.freeze?.join(' ')}) cannot be combined with lora, which freezes all weights; omit freeze`,
  );
  check(
    !complete.lora || folder !== undefined,
    'train: lora needs a trained model; name its folder with init',
  );
  check(
    complete.lora || (complete.weights ?? 'f32') === 'f32',
    `train: weights as ${complete.weights} are not trained; train a LoRA adapter with lora.rank`,
  );
  const lora = complete.lora && loraConfig(complete.lora);
  return { ...complete, lora, corpus, out, resume };
}

/**
 * The arguments in the checkpoint, with the new values of settings that may change; logs the others. Files of
 * pairs may have new paths. Without new steps or epochs the run keeps its length. Throws a HeddleError if a new value
 * is not allowed, or the checkpoint has no arguments.
 */
export function resumeArguments(
  before: TrainingState,
  { corpus, out = '', resume: _, ...given }: TrainArguments,
  log: (text: string) => void,
): CompleteArguments {
  checkSettings(given);
  const saved = startArguments(before, out);
  const changed = Object.fromEntries(
    resumableSettings.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])),
  ) as TrainSettings;
  const replaced = resumableSettings.filter((name) => name in changed && given[name] !== saved[name]);
  const news = replaced.map((name) => {
    const [now, before = 'not set'] = [given[name], saved[name]].map((value) => JSON.stringify(value));
    return `${settingFlag(name)} ${now} (was ${before})`;
  });
  if (news.length > 0) log(`${out} resumes with other settings: ${news.join(', ').replaceAll('"', '')}`);
  const ignored = ignoredSettings(saved, given);
  if (ignored.length > 0)
    log(`${out} resumes with its own settings; ignored: ${ignored.map(settingFlag).join(', ')}`);
  const isOfFiles = corpus.kind === 'files' && saved.corpus.kind === 'tsv' && !saved.corpus.keep;
  const isMoved =
    isOfFiles || (saved.corpus.kind === corpus.kind && corpus.kind !== 'intl' && corpus.kind !== 'task');
  const outdated = outdatedSettings(saved, given);
  const kept = Object.fromEntries(Object.entries(saved).filter(([name]) => !outdated.includes(name)));
  // A new value replaces the changes of that setting during the run.
  const changes = withoutSettings(parseChanges(given.changes ?? saved.changes), replaced);
  return {
    ...(kept as CompleteArguments),
    ...changed,
    changes: formatChanges(changes) || undefined,
    corpus: isMoved ? corpus : saved.corpus,
    out,
    resume: true,
  };
}

/** Settings of a checkpoint that new settings exclude: length, batch size, and those of another schedule. */
function outdatedSettings(saved: CompleteArguments, given: TrainSettings): string[] {
  const outdated: string[] = [];
  if (given.steps !== undefined || given.epochs !== undefined) outdated.push('steps', 'epochs');
  if (given.batchSize !== undefined || given.maxTokens !== undefined) outdated.push('batchSize', 'maxTokens');
  const schedule = given.schedule ?? saved.schedule;
  for (const [name, { onlyFor = [] as readonly string[] }] of settingRows)
    if (onlyFor[0] === 'schedule' && !onlyFor.includes(schedule)) outdated.push(name);
  return outdated;
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
    `${folder}: ${checkpointNames.state} has no arguments of the run; start a new run`,
  );
  return { ...settingDefaults, ...args } as unknown as CompleteArguments;
}
