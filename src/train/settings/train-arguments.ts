// Arguments of a training run: those of a new run, with all defaults, and those of a resumed run, which has the
// arguments in its checkpoint, with the new values of settings that may change.

import { check } from '../../core/errors.ts';
import { msg, option } from '../../core/message.ts';
import { loraConfig } from '../../model/lora.ts';
import type { CorpusArguments } from '../data/corpus-arguments.ts';
import { formatChanges, parseChanges, withoutSettings } from '../report/run-changes.ts';
import { type CompleteSettings, completeSettings, initFolder, runKindOf } from './run-defaults.ts';
import { type SettingTable, settingOf, type TrainSettings } from './train-settings.ts';

/** Arguments of a training run. Omitted settings have the defaults of run-defaults.ts. */
export type TrainArguments = TrainSettings & {
  readonly corpus: CorpusArguments;
  /** Model folder to write; none if empty. */
  readonly out: string;
  /**
   * Whether to resume from the checkpoint in `out`, with its settings except new values of those that may change
   * (`SettingTable.resumable`).
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
export function completeArguments(
  { corpus, out = '', resume = false, ...given }: TrainArguments,
  table: SettingTable,
): CompleteArguments {
  const complete = completeSettings(
    given,
    runKindOf(corpus.kind, corpus.kind === 'task' ? corpus.task : undefined),
    table,
  );
  const folder = initFolder(complete);
  for (const name of ['sourceLang', 'targetLang'] as const)
    check(
      complete[name] === undefined || folder !== undefined,
      msg`${option(name)} (${complete[name]}) needs a multilingual model; name its folder with ${option('init')}`,
      { area: 'train' },
    );
  check(
    !complete.lora || !complete.freeze,
    msg`${option('freeze')} (${complete.freeze?.join(' ')}) cannot be combined with ${option('lora')}, which freezes all weights; omit ${option('freeze')}`,
    { area: 'train' },
  );
  check(
    !complete.lora || folder !== undefined,
    msg`${option('lora')} needs a trained model; name its folder with ${option('init')}`,
    { area: 'train' },
  );
  check(
    complete.lora || (complete.weights ?? 'f32') === 'f32',
    msg`${option('weights')} as ${complete.weights} are not trained; train a LoRA adapter with ${option('lora.rank')}`,
    { area: 'train' },
  );
  const lora = complete.lora && loraConfig(complete.lora);
  return { ...complete, lora, corpus, out, resume };
}

/** Arguments of a resumed run, and how they differ from those of its checkpoint. */
export interface ResumedArguments {
  readonly args: CompleteArguments;
  /** Settings with a new value. */
  readonly changed: readonly { readonly name: string; readonly now: unknown; readonly before: unknown }[];
  /** Names of settings that differ and may not change. */
  readonly ignored: readonly string[];
}

/**
 * The arguments `saved` in a checkpoint, with the new values of settings that may change. Files of pairs may have new
 * paths. Without new steps or epochs the run keeps its length. Throws a HeddleError if a new value is not allowed.
 */
export function resumeArguments(
  saved: CompleteArguments,
  { corpus, out = '', resume: _, ...given }: TrainArguments,
  table: SettingTable,
): ResumedArguments {
  table.check(given);
  const changed = Object.fromEntries(
    table.resumable.flatMap((name) =>
      settingOf(given, name) === undefined ? [] : [[name, settingOf(given, name)]],
    ),
  ) as TrainSettings;
  const replaced = table.resumable.filter(
    (name) => name in changed && settingOf(given, name) !== settingOf(saved, name),
  );
  const isOfFiles = corpus.kind === 'files' && saved.corpus.kind === 'tsv' && !saved.corpus.keep;
  const isMoved =
    isOfFiles || (saved.corpus.kind === corpus.kind && corpus.kind !== 'intl' && corpus.kind !== 'task');
  const outdated = outdatedSettings(saved, given, table);
  const kept = Object.fromEntries(Object.entries(saved).filter(([name]) => !outdated.includes(name)));
  // A new value replaces the changes of that setting during the run.
  const changes = withoutSettings(parseChanges(given.changes ?? saved.changes), replaced);
  return {
    args: {
      ...(kept as CompleteArguments),
      ...changed,
      changes: formatChanges(changes) || undefined,
      corpus: isMoved ? corpus : saved.corpus,
      out,
      resume: true,
    },
    changed: replaced.map((name) => ({
      name,
      now: settingOf(given, name),
      before: settingOf(saved, name),
    })),
    ignored: ignoredSettings(saved, given, table),
  };
}

/** Settings of a checkpoint that new settings exclude: length, batch size, and those of another schedule. */
function outdatedSettings(saved: CompleteArguments, given: TrainSettings, table: SettingTable): string[] {
  const outdated: string[] = [];
  if (given.steps !== undefined || given.epochs !== undefined) outdated.push('steps', 'epochs');
  if (given.batchSize !== undefined || given.maxTokens !== undefined) outdated.push('batchSize', 'maxTokens');
  const schedule = given.schedule ?? saved.schedule;
  for (const [name, { onlyFor = [] as readonly string[] }] of table.entries)
    if (onlyFor[0] === 'schedule' && !onlyFor.includes(schedule)) outdated.push(name);
  return outdated;
}

/** Settings that differ from those of the checkpoint and may not change. */
const ignoredSettings = (kept: TrainSettings, given: TrainSettings, table: SettingTable): string[] =>
  table.entries.flatMap(([name, { resume }]) => {
    const value = settingOf(given, name);
    return resume || value === undefined || JSON.stringify(value) === JSON.stringify(settingOf(kept, name))
      ? []
      : [name];
  });
