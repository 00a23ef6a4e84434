// A training in the hash of the address: corpus, settings and seeds. A visitor who opens the link can repeat
// the run.

import { type TaskName, taskNames } from '../../../src/entries/data.ts';
import { HeddleError, type TrainSettings } from '../../../src/entries/heddle.ts';
import {
  completeSettings,
  fitsType,
  parseChanges,
  runKindOf,
  type Setting,
  settingRows,
  settingTable,
} from '../../../src/entries/reports.ts';
import { say } from '../../common/page-texts.ts';
import type { CorpusChoice, TrainingSettings } from '../protocol.ts';
import { typeWords } from './setting-words.ts';
import { type Curve, packCurve, unpackCurve } from './shared-curve.ts';

/** A generated corpus and the settings of its training. */
export interface SharedTraining {
  readonly corpus: Exclude<CorpusChoice, { kind: 'text' }>;
  readonly settings: TrainSettings;
  /** The loss curve of the author's run, if the link is a challenge. */
  readonly curve?: Curve;
}

/** Names of the settings in a link: the settings of the form. */
const shared = settingRows.filter(([, row]) => row.label !== undefined);

/** Text of a setting; of several dropout rates, the one that the form shows. */
const textOf = (value: unknown): string | undefined =>
  typeof value === 'object' && value !== null
    ? textOf((value as { output?: number }).output)
    : value?.toString();

/**
 * Returns the hash of a training, with the curve of a run if it is a challenge; undefined if its corpus is a file or
 * text, which a link cannot contain.
 */
export function toHash(
  { corpus, settings }: Pick<TrainingSettings, 'corpus' | 'settings'>,
  curve?: Curve,
): string | undefined {
  if (corpus.kind === 'text') return undefined;
  const { kind, pairs, seed } = corpus;
  const corpusFields: Record<string, string> =
    kind === 'intl' ? { from: corpus.source, to: corpus.target } : { task: corpus.task };
  const hash = new URLSearchParams({
    corpus: kind,
    ...corpusFields,
    pairs: String(pairs),
    corpusSeed: String(seed),
  });
  for (const [name] of shared) {
    const text = textOf(settings[name as keyof TrainSettings]);
    if (text !== undefined) hash.set(name, text);
  }
  if (curve) hash.set('curve', packCurve(curve));
  return `#${hash}`;
}

/** Reads a hash; undefined if it has no training. Throws a HeddleError if the training is invalid. */
export function fromHash(hash: string): SharedTraining | undefined {
  if (!hash.includes('=')) return undefined;
  const fields = new Map(new URLSearchParams(hash.slice(1)));
  const take = (name: string): string => {
    const value = fields.get(name);
    fields.delete(name);
    if (value === undefined) throw new HeddleError(say`${name} is missing`);
    return value;
  };
  const integer = (name: string, min: number, max: number): number => {
    const text = take(name);
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (!Number.isInteger(value) || value < min || value > max)
      throw new HeddleError(
        say`${name} is “${text.slice(0, 40)}”; it must be an integer from ${min} to ${max}`,
      );
    return value;
  };
  const kind = take('corpus');
  if (kind !== 'intl' && kind !== 'task')
    throw new HeddleError(say`corpus is “${kind.slice(0, 40)}”; it must be intl or task`);
  const size = () => ({
    pairs: integer('pairs', 100, 1_000_000),
    seed: integer('corpusSeed', 0, 2 ** 32 - 1),
  });
  const corpus: SharedTraining['corpus'] =
    kind === 'intl'
      ? { kind, source: locale('from', take('from')), target: locale('to', take('to')), ...size() }
      : { kind, task: taskOf(take('task')), ...size() };
  const settings: Record<string, unknown> = {};
  for (const [name, row] of shared) {
    const text = fields.get(name);
    fields.delete(name);
    if (text !== undefined) settings[name] = settingOf(name, row, text);
  }
  const curve = fields.has('curve') ? unpackCurve(take('curve')) : undefined;
  const [unknown] = fields.keys();
  if (unknown !== undefined) throw new HeddleError(say`there is no setting “${unknown.slice(0, 40)}”`);
  completeSettings(settings, runKindOf(kind), settingTable); // throws if settings exclude each other
  parseChanges(settings.changes as string | undefined);
  return { corpus, settings, curve };
}

function settingOf(name: string, { type }: Setting, text: string): unknown {
  const value =
    type.kind === 'choice' || type.kind === 'text' ? text : text.trim() === '' ? Number.NaN : Number(text);
  if (!fitsType(type, value))
    throw new HeddleError(say`${name} is “${text.slice(0, 40)}”; it must be ${typeWords(type)}`);
  return value;
}

function locale(name: string, tag: string): string {
  try {
    const [known] = Intl.DateTimeFormat.supportedLocalesOf([tag]);
    if (known !== undefined) return tag;
  } catch {
    // not a tag
  }
  throw new HeddleError(
    say`${name} is “${tag.slice(0, 40)}”; it must be a language of this browser, for example en`,
  );
}

function taskOf(text: string): TaskName {
  const task = taskNames.find((name) => name === text);
  if (!task) throw new HeddleError(say`task is “${text.slice(0, 40)}”; it must be ${taskNames.join(', ')}`);
  return task;
}
