// Compares training runs by their logs: the settings that differ, length, best dev metrics, time, adapter.

import { HeddleError, reasonOf } from '../core/errors.ts';
import { formatNumber } from '../core/format-numbers.ts';
import { type Message, msg } from '../core/message.ts';
import { baseName, type Files, readText, withoutEndSlash } from '../files/files.ts';
import { isObject } from '../files/json-files.ts';
import { readSettled, settledFolder } from '../files/settled-folder.ts';
import { verifyFolder } from '../files/verified-files.ts';
import { mainMetrics } from '../text/metrics/main-metrics.ts';
import { isBetter, type Metric, metricValue } from '../text/metrics/metric.ts';
import { formatChanges } from '../train/report/run-changes.ts';
import {
  historyOf,
  type LogEnd,
  type LogRecord,
  type LogStart,
  logName,
  mfuIn,
  parseLog,
} from '../train/report/training-log.ts';

/** Values of metrics by name. */
export type MetricValues = Readonly<Partial<Record<string, number>>>;

/** A run; plain JSON. */
export interface RunSummary {
  /** Folder of the run. */
  readonly folder: string;
  /** Settings that differ between the runs, by name; null if the run does not have the setting. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Number of updates done. */
  readonly step: number;
  /** Number of planned updates. */
  readonly steps: number;
  /** Why it ended; `unfinished` if it still runs or was killed. */
  readonly state: LogEnd['reason'] | 'unfinished';
  /** The best value of each metric on the dev pairs, and its step. */
  readonly best: Readonly<Partial<Record<string, { readonly value: number; readonly step: number }>>>;
  /** The last value of each metric on the dev pairs. */
  readonly final: MetricValues;
  /** Seconds in training, without evaluations and saving. */
  readonly seconds: number;
  /** Target tokens per second in training. */
  readonly tokensPerSecond: number;
  /** Model FLOPs utilization (MFU), from 0 to 1; null if the adapter's peak is unknown. */
  readonly mfu: number | null;
  /** Name of the adapter. */
  readonly adapter: string;
  /** Number of parameters of the model. */
  readonly parameters: number;
  /** Size of the target vocabulary: losses per token of different vocabularies cannot be compared. */
  readonly targetVocabulary: number;
  /** The best dev loss per character of the dev targets, which can be compared; null if the log lacks it. */
  readonly lossPerCharacter?: number | null;
  /** Mean number of characters of a token of the dev targets. */
  readonly charactersPerToken?: number;
  /** Of runs that differ only in their seed: their number, mean and standard deviation of the best metrics. */
  readonly seeds?: Pick<SeedGroup, 'mean' | 'deviation'> & { readonly count: number };
}

/** Arguments that are not settings: files, and values that the summary has in other fields. */
const notSettings: readonly string[] = ['out', 'resume', 'corpus', 'tensorboard', 'steps'];

/**
 * Summarizes the runs in folders. Throws a HeddleError that names a folder without a training log. A damaged log is
 * left out with a warning, if there are others.
 */
export async function summarizeFolders(
  folders: readonly string[],
  files: Files,
  warn: (warning: Message) => void,
  metrics: readonly Metric[] = mainMetrics,
): Promise<RunSummary[]> {
  const found: string[] = [];
  for (const folder of folders) found.push(...(await runsIn(files, folder, warn)));
  const logs: { readonly folder: string; readonly records: readonly LogRecord[] }[] = [];
  const damaged: HeddleError[] = [];
  for (const folder of new Set(found))
    try {
      const [records, changed] = await readSettled(files, folder, async (at) => {
        const path = `${at}/${logName}`;
        const read = parseLog(await readText(files, path), path);
        const verified = verifyFolder(files, at, (name) => name === logName);
        return [read, await verified.catch(reasonOf)];
      });
      if (changed) warn(msg`${changed}`);
      logs.push({ folder, records });
    } catch (error) {
      if (!(error instanceof HeddleError)) throw error;
      damaged.push(error);
    }
  const [first] = damaged;
  if (logs.length === 0 && first) throw first;
  for (const error of damaged) warn(msg`left out: ${reasonOf(error)}`);
  return summarizeRuns(logs, metrics);
}

/** Summarizes runs from the records of their logs. Throws a HeddleError if a log has no start. */
export function summarizeRuns(
  logs: readonly { readonly folder: string; readonly records: readonly LogRecord[] }[],
  metrics: readonly Metric[] = mainMetrics,
): RunSummary[] {
  const histories = logs.map(({ folder, records }) => {
    const last = records.findLast(({ type }) => type === 'start' || type === 'end');
    return { folder, ...historyOf(records), end: last?.type === 'end' ? last : undefined };
  });
  const settings = histories.map(({ start, changes }) => ({
    pairs: `${start.corpus.name} (${start.corpus.pairs})`,
    'dev pairs': devName(start),
    ...flat(start.arguments),
    changes: changes.length > 0 ? formatChanges(changes) : undefined,
  }));
  const names = [...new Set(settings.flatMap((one) => Object.keys(one)))].filter((name) => {
    const values = settings.map((one: Record<string, unknown>) => JSON.stringify(one[name] ?? null));
    return values.some((value) => value !== values[0]);
  });
  const summaries = histories.map(({ folder, start, steps, evals, end, ends }, i): RunSummary => {
    const own: Record<string, unknown> = settings[i] ?? {};
    const seconds = steps.at(-1)?.seconds ?? 0;
    const best: Record<string, { value: number; step: number }> = {};
    const final: Record<string, number> = {};
    for (const evaluation of evals.filter(({ part }) => part === 'dev'))
      for (const metric of metrics) {
        const { name } = metric;
        const value = metricValue(evaluation, metric);
        if (value === undefined || !Number.isFinite(value)) continue;
        final[name] = value;
        const before = best[name];
        if (!before || isBetter(metric, value, before.value)) best[name] = { value, step: evaluation.step };
      }
    return {
      folder,
      settings: Object.fromEntries(names.map((name) => [name, own[name] ?? null])),
      step: steps.at(-1)?.step ?? start.step,
      steps: start.steps,
      state: end?.reason ?? 'unfinished',
      best,
      final,
      seconds,
      tokensPerSecond: seconds > 0 ? steps.reduce((sum, { tokens }) => sum + tokens, 0) / seconds : 0,
      mfu: mfuIn({ ends, steps }) ?? null,
      adapter: start.backend,
      parameters: start.parameters,
      targetVocabulary: start.corpus.targetVocabulary,
      lossPerCharacter: perCharacter(best.loss?.value, start.corpus.devCharactersPerToken),
      charactersPerToken: start.corpus.devCharactersPerToken,
    };
  });
  const groups = seedGroups(summaries, metrics);
  return summaries.map((run): RunSummary => {
    const group = groups.find(({ runs }) => runs.includes(run.folder));
    if (!group) return run;
    const { mean, deviation } = group;
    return { ...run, seeds: { count: group.runs.length, mean, deviation } };
  });
}

const perCharacter = (loss: number | undefined, characters: number | undefined): number | null =>
  loss !== undefined && characters ? loss / characters : null;

/** The dev pairs of a run: their number, and the files that were given. */
function devName({ corpus, arguments: args }: LogStart): string {
  const given = isObject(args) && isObject(args.corpus) ? args.corpus.dev : undefined;
  const files = isObject(given) ? given : {};
  const names = [files.files, files.source, files.target]
    .flat()
    .flatMap((path) => (typeof path === 'string' ? baseName(path) : []));
  return names.length > 0 ? `${names.join(', ')} (${corpus.dev})` : String(corpus.dev);
}

/**
 * What makes losses per token of runs incomparable: other vocabularies, also of the same size, or other dev pairs.
 */
export function unlikeLosses(runs: readonly RunSummary[]): 'vocabularies' | 'dev pairs' | undefined {
  const differ = (of: (run: RunSummary) => unknown) => new Set(runs.map(of)).size > 1;
  if (differ((run) => run.targetVocabulary)) return 'vocabularies';
  if (differ((run) => run.settings['dev pairs'])) return 'dev pairs';
  return differ((run) => run.charactersPerToken?.toFixed(9)) ? 'vocabularies' : undefined;
}

const hasLog = async (files: Files, folder: string): Promise<boolean> =>
  files.exists(`${await settledFolder(files, folder)}/${logName}`);

/** The folder if it has a log, or the folders and archives in it that have one; those that cannot be read are left out. */
async function runsIn(files: Files, given: string, warn: (warning: Message) => void): Promise<string[]> {
  const folder = withoutEndSlash(given);
  if (await hasLog(files, folder)) return [folder];
  const names = (await files.exists(folder)) ? await files.list(folder).catch(() => []) : [];
  const inside: string[] = [];
  for (const name of names)
    try {
      if (await hasLog(files, `${folder}/${name}`)) inside.push(`${folder}/${name}`);
    } catch (error) {
      if (!(error instanceof HeddleError)) throw error;
      warn(msg`left out: ${reasonOf(error)}`);
    }
  if (inside.length === 0)
    throw new HeddleError(
      names.length > 0
        ? msg`there is no ${logName} in it or its folders; name a folder that heddle train has written`
        : msg`there is no training log; name a folder that heddle train has written`,
      { area: given },
    );
  return inside;
}

/** Arguments by name; fields of objects have names such as `model.heads`. */
const flat = (json: unknown, before = ''): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(isObject(json) ? json : {}).flatMap(([key, value]) => {
      if (before === '' && notSettings.includes(key)) return [];
      return isObject(value) ? Object.entries(flat(value, `${before}${key}.`)) : [[before + key, value]];
    }),
  );

/** The dev metrics that at least one of the runs has. */
export const runMetrics = (
  runs: readonly RunSummary[],
  metrics: readonly Metric[] = mainMetrics,
): readonly Metric[] =>
  metrics.filter(({ name }) =>
    runs.some(({ best, final }) => best[name] !== undefined || final[name] !== undefined),
  );

/** The value of a setting that differs, as text. */
export function settingText(value: unknown): string {
  if (value === null) return '–';
  if (typeof value === 'number' && !Number.isInteger(value)) return formatNumber(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Runs that differ only in their seed. */
export interface SeedGroup {
  /** Their folders. */
  readonly runs: readonly string[];
  /** The settings that differ between groups, by name. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Names of the settings that differ between groups. */
  readonly names: readonly string[];
  /** Mean of the best dev metrics that all of them have. */
  readonly mean: MetricValues;
  /** Sample standard deviation of these. */
  readonly deviation: MetricValues;
}

/** The settings of a group, if there are several groups: `learningRate 0.001, heads 4`; else empty. */
export const groupName = ({ settings, names }: SeedGroup): string =>
  names.map((name) => `${name} ${settingText(settings[name])}`).join(', ');

/** The groups of at least two runs that differ only in their seed, in the order of the runs. */
export function seedGroups(
  runs: readonly RunSummary[],
  metrics: readonly Metric[] = mainMetrics,
): SeedGroup[] {
  const byKey = new Map<string, RunSummary[]>();
  const names = Object.keys(runs[0]?.settings ?? {}).filter((name) => name !== 'seed');
  if (names.length === Object.keys(runs[0]?.settings ?? {}).length) return [];
  for (const run of runs) {
    const key = JSON.stringify(names.map((name) => run.settings[name] ?? null));
    byKey.set(key, [...(byKey.get(key) ?? []), run]);
  }
  return [...byKey.values()].flatMap((group): SeedGroup[] => {
    if (group.length < 2) return [];
    const mean: Record<string, number> = {};
    const deviation: Record<string, number> = {};
    for (const { name } of metrics) {
      const values = group.flatMap(({ best: { [name]: best } }) => (best ? [best.value] : []));
      if (values.length < group.length) continue;
      const average = values.reduce((a, b) => a + b) / values.length;
      mean[name] = average;
      deviation[name] = Math.sqrt(
        values.reduce((sum, value) => sum + (value - average) ** 2, 0) / (values.length - 1),
      );
    }
    const settings = Object.fromEntries(names.map((name) => [name, group[0]?.settings[name] ?? null]));
    return [
      {
        runs: group.map(({ folder }) => folder),
        settings,
        names,
        mean,
        deviation,
      },
    ];
  });
}
