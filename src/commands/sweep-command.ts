// Runs a sweep of `heddle train`: one training after the other, then the table and the report that compare them.

import { type RunSummary, summarizeFolders } from '../api/run-summaries.ts';
import { HeddleError } from '../core/errors.ts';
import { type Message, msg, renderMessage } from '../core/message.ts';
import { features } from '../features/features.ts';
import { archiveFiles } from '../files/archive-files.ts';
import { readText, writeText } from '../files/files.ts';
import { nodeFiles } from '../host/node-files.ts';
import { allMetrics } from '../text/metrics/main-metrics.ts';
import type { TrainSettings } from '../train/settings/train-settings.ts';
import { errorText, flagStyle } from './message-flags.ts';
import { outFolder } from './out-folder.ts';
import { log, printResult } from './output.ts';
import type { HostOptions } from './run-command.ts';
import { isRunsReport, runsReport } from './runs-report.ts';
import { describeRuns } from './runs-table.ts';
import type { SweepRun } from './sweep.ts';

/** Options of a sweep. */
export interface SweepOptions extends Pick<HostOptions, 'json'> {
  readonly out?: string;
  readonly resume?: boolean;
  readonly force?: boolean;
}

/** Trains one run of a sweep. */
export type TrainOne = (
  options: { readonly out: string; readonly resume: boolean },
  settings: TrainSettings,
) => Promise<unknown>;

const reportName = 'runs.html';

const metrics = allMetrics(features.metrics);

const logMessage = (message: Message): void => log(renderMessage(message, flagStyle));

/** The state of the run in a folder; undefined if there is none. */
async function stateOf(folder: string): Promise<RunSummary | undefined> {
  if (!(await nodeFiles().exists(folder))) return undefined;
  try {
    return (await summarizeFolders([folder], nodeFiles(), logMessage, metrics))[0];
  } catch (error) {
    if (error instanceof HeddleError) return undefined; // not a run, or one without a step
    throw error;
  }
}

/** Whether a signal or a closed pipe stopped the command. */
const isStopped = (): boolean => Boolean(process.exitCode);

/** Whether a run is finished; not if it is given more steps than it had. */
const isDone = ({ state, step, steps }: RunSummary, given: TrainSettings): boolean =>
  (given.steps ?? 0) <= steps && (step >= steps || state === 'done' || state === 'patience');

/**
 * Trains the runs of a sweep that are not finished, and compares all. With `resume` finished runs are kept, interrupted
 * ones continue. After a signal the runs so far are compared. Throws a HeddleError if a run fails.
 */
export async function runSweep(
  sweep: readonly SweepRun[],
  { out, resume = false, force = false, json }: SweepOptions,
  train: TrainOne,
): Promise<void> {
  if (out === undefined || /\.zip$/i.test(out))
    throw new HeddleError('several runs need --out FOLDER, in which each has a folder', { area: 'train' });
  const folders = sweep.map(({ name }) => `${out.replace(/(?<=.)\/+$/, '')}/${name}`);
  // All folders are checked before the first run.
  const states: (RunSummary | undefined)[] = [];
  for (const folder of folders) {
    const before = await stateOf(folder);
    if (before && !resume && !force)
      throw new HeddleError(
        msg`the run ${folder} exists; --resume continues the sweep, --force replaces its runs`,
        { area: `--out ${out}` },
      );
    if (!before) await outFolder(archiveFiles(nodeFiles()), '', { out: folder, force });
    states.push(before);
  }
  let done = 0;
  for (const [i, { settings }] of sweep.entries()) {
    const [folder, before] = [folders[i] as string, states[i]];
    if (before && resume && isDone(before, settings)) {
      log(`run ${i + 1} of ${sweep.length}: ${folder} is finished`);
      done++;
      continue;
    }
    log(`run ${i + 1} of ${sweep.length}: ${folder}`);
    try {
      await train({ out: folder, resume: resume && before !== undefined }, settings);
    } catch (error) {
      if (!isStopped()) throw error;
      log(`heddle: ${errorText(error)}`);
    }
    if (isStopped()) break;
    done++;
  }
  if (done < sweep.length)
    log(`${done} of ${sweep.length} runs are finished; the same command with --resume continues`);
  await compare(out, folders, json);
}

async function compare(out: string, folders: readonly string[], json: HostOptions['json']): Promise<void> {
  const files = nodeFiles();
  const started: string[] = [];
  for (const folder of folders) if (await stateOf(folder)) started.push(folder);
  if (started.length === 0) return;
  const found = await summarizeFolders(started, files, logMessage, metrics);
  const path = `${out.replace(/(?<=.)\/+$/, '')}/${reportName}`;
  try {
    if ((await files.exists(path)) && !isRunsReport(await readText(files, path)))
      throw new HeddleError('heddle did not write this file, so it is not replaced');
    await writeText(files, path, runsReport(found));
    log(`comparison ${path}`);
  } catch (error) {
    log(`${path}: the comparison was not written: ${errorText(error)}`);
  }
  await printResult(found, json, () => describeRuns(found));
}
