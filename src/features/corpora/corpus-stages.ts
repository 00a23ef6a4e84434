// Corpora with weights, in stages, as the command line, configuration files and the library give them.

import { check } from '../../core/errors.ts';
import { checkNames } from '../../core/fields.ts';
import { formatPercent } from '../../core/format-numbers.ts';
import { msg, option } from '../../core/message.ts';
import { baseName } from '../../files/files.ts';
import { isObject } from '../../files/json-files.ts';
import type { GivenDataReader } from '../../session/given-data.ts';
import type { Stage } from '../../text/batches/batch-source.ts';
import { type CorpusFiles, type PairFiles, pathsOf } from '../../text/corpus/pair-files.ts';
import { formatFields } from '../../text/corpus/pairs.ts';
import type { CorpusArguments } from '../../train/data/corpus-arguments.ts';

/**
 * Files of pairs with their weights: `{ 'clean.tsv': 0.8, 'bt.tsv': 0.2 }`, `['clean.tsv=0.8', 'bt.tsv=0.2']` or
 * `[['clean.tsv', 0.8], ['bt.tsv', 0.2]]`.
 */
export type WeightedFiles<Path = string> =
  | Readonly<Record<string, number>>
  | readonly (string | readonly [file: Path, weight: number])[];

/** A stage of a training, and how it ends: `steps`, `stalls`, or with the run. */
export interface StageFiles<Path = string> {
  /** Its files, with weights. */
  readonly data: WeightedFiles<Path>;
  /** Number of updates of the stage. */
  readonly steps?: number;
  /** The stage ends after this number of consecutive evaluations on the dev pairs without improvement. */
  readonly stalls?: number;
}

/** Files of pairs in proportions: one stage (`data`), or several (`stages`). */
export interface CorpusMixture<Path = string>
  extends Pick<CorpusFiles<Path>, 'dev' | 'test'>,
    Pick<PairFiles, 'format' | 'sourceColumn' | 'targetColumn' | 'tags'> {
  /** Files of a training in one stage. Needed without `stages`. */
  readonly data?: WeightedFiles<Path>;
  /** The stages in order, in place of `data`. */
  readonly stages?: readonly StageFiles<Path>[];
}

/**
 * The corpus of a mixture; `resolve` makes paths absolute. Throws a HeddleError that names what is wrong.
 */
export function mixedCorpus(
  { data, stages, dev, test, ...columns }: CorpusMixture,
  resolve: (path: string) => string = (path) => path,
): CorpusArguments {
  const names = { area: 'train', noun: 'field', others: ['data', 'stages', 'dev', 'test'] };
  checkNames(names, formatFields, Object.keys(columns));
  check(!data || !stages, 'data and stages exclude each other; give the data in each stage', {
    area: 'train',
  });
  const given = stages ?? [{ data: data ?? [] }];
  check(Array.isArray(given) && given.length > 0, 'stages must be a list of at least one stage', {
    area: 'train',
  });
  const weights = given.map((stage, i) => stageWeights(stage, `stage ${i + 1}`));
  const files = [...new Set(weights.flatMap((stage) => [...stage.keys()]))];
  const all = given.map(({ steps, stalls }, i): Stage => {
    const own = weights[i] as Map<string, number>;
    const sum = [...own.values()].reduce((a, b) => a + b, 0);
    checkEnd({ steps, stalls }, `stage ${i + 1}`, i === given.length - 1);
    return { weights: files.map((file) => (own.get(file) ?? 0) / sum), steps, stalls };
  });
  return { kind: 'files', train: { files: files.map(resolve), ...columns }, dev, test, stages: all };
}

/** Reads mixtures that programs give. */
export const mixtureReader: GivenDataReader = { corpusOf: (given) => mixedCorpus(given as CorpusMixture) };

/** The weights of a stage by file. */
function stageWeights(stage: unknown, name: string): Map<string, number> {
  check(isObject(stage), () => msg`${name} is ${JSON.stringify(stage)}, it must have data`, {
    area: 'train',
  });
  checkNames({ area: `train: ${name}`, noun: 'field' }, ['data', 'steps', 'stalls'], Object.keys(stage));
  const { data } = stage;
  check(
    Array.isArray(data) || isObject(data),
    () => msg`data of ${name} is ${JSON.stringify(data)}, it must be files with weights`,
    { area: 'train' },
  );
  const entries: readonly (readonly [string, unknown])[] = Array.isArray(data)
    ? data.map((item) => (Array.isArray(item) ? [String(item[0]), item[1]] : weightedFile(String(item))))
    : Object.entries(data);
  check(entries.length > 0, msg`${name} has no files`, { area: 'train' });
  const weights = new Map<string, number>();
  for (const [file, weight] of entries) {
    check(
      typeof weight === 'number' && Number.isFinite(weight) && weight > 0,
      () => msg`the weight of ${file} in ${name} is ${JSON.stringify(weight)}, it must be a number above 0`,
      { area: 'train' },
    );
    check(!weights.has(file), msg`${file} is twice in ${name}; give one weight`, { area: 'train' });
    weights.set(file, weight);
  }
  return weights;
}

/** `clean.tsv=0.8` as file and weight; the weight is 1 if there is none. */
function weightedFile(text: string): [file: string, weight: number] {
  const at = text.lastIndexOf('=');
  return at < 0 ? [text, 1] : [text.slice(0, at), Number(text.slice(at + 1) || Number.NaN)];
}

function checkEnd(
  { steps, stalls }: Pick<StageFiles, 'steps' | 'stalls'>,
  name: string,
  isLast: boolean,
): void {
  for (const [field, value] of Object.entries({ steps, stalls }))
    check(
      value === undefined || (Number.isSafeInteger(value) && value > 0),
      () => msg`${field} of ${name} is ${JSON.stringify(value)}, it must be a whole number of at least 1`,
      { area: 'train' },
    );
  check(steps === undefined || stalls === undefined, msg`${name} has steps and stalls; give one of them`, {
    area: 'train',
  });
  const hasEnd = (steps ?? stalls) !== undefined;
  check(
    hasEnd !== isLast,
    isLast
      ? msg`${name} is the last one and lasts to the end of the run; omit its end, and give the run's steps or ${option('patience')}`
      : msg`${name} has no end; give steps or stalls`,
    { area: 'train' },
  );
}

/** The proportions of a stage in words: `80 % clean.tsv, 20 % bt.tsv`. */
export const describeStage = ({ weights }: Stage, train: PairFiles): string =>
  pathsOf(train)
    .flatMap((path, i) => {
      const weight = weights[i] ?? 0;
      return weight > 0 ? [`${formatPercent(weight)} ${path === '-' ? 'stdin' : baseName(path)}`] : [];
    })
    .join(', ');
