// History of a stored model: the settings it was trained with, its curves and its samples; summaries of all stored runs.

import { historyOf } from '../../../src/index.ts';
import { type RunSummary, summarizeRuns } from '../../../src/jobs/runs-job.ts';
import { readLog } from '../../../src/train/logging.ts';
import { startArguments } from '../../../src/train/resume-arguments.ts';
import { readTrainingState } from '../../../src/trainer/training-state.ts';
import { type ModelStore, modelFolder } from '../../storage/model-store.ts';
import type { RunHistory } from '../protocol.ts';

/** Reads the history of a model; what its folder lacks is empty. */
export async function readHistory(store: Pick<ModelStore, 'filesOf'>, name: string): Promise<RunHistory> {
  const folder = modelFolder(name);
  const files = await store.filesOf(name);
  const state = await readTrainingState(files, folder).catch(() => undefined);
  const records = await readLog(files, folder, () => {});
  const empty = { steps: [], evals: [], samples: [], probes: [], changes: [] };
  const { steps, evals, samples, probes, changes } = records.length > 0 ? historyOf(records) : empty;
  const args = state && startArguments(state, folder);
  const { corpus, out: _, resume: __, ...settings } = args ?? { corpus: undefined };
  return {
    corpus,
    settings,
    steps,
    evals: evals.filter((e) => e.part === 'dev'),
    samples,
    probes,
    changes,
    step: state?.step ?? 0,
  };
}

/** Summarizes the stored models that have a training log. */
export async function readRuns(store: Pick<ModelStore, 'filesOf' | 'info'>): Promise<RunSummary[]> {
  const { models } = await store.info();
  const logs = await Promise.all(
    models.map(async ({ name }) => ({
      folder: name,
      records: await readLog(await store.filesOf(name), modelFolder(name), () => {}),
    })),
  );
  return summarizeRuns(logs.filter(({ records }) => records.some(({ type }) => type === 'start')));
}
