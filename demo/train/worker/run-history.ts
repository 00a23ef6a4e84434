// History of a stored model: the settings it was trained with, its curves and its samples; summaries of all
// stored runs.

import { readCheckpoint } from '../../../src/entries/heddle.ts';
import { historyOf, type RunSummary, readTrainingLog, summarizeRuns } from '../../../src/entries/reports.ts';
import { type ModelStore, modelFolder } from '../../storage/model-store.ts';
import type { RunHistory } from '../protocol.ts';

/** Reads the history of a model; parts that its folder lacks are empty. */
export async function readHistory(store: Pick<ModelStore, 'filesOf'>, name: string): Promise<RunHistory> {
  const folder = modelFolder(name);
  const files = await store.filesOf(name);
  const checkpoint = await readCheckpoint(folder, { files }).catch(() => undefined);
  const records = await readTrainingLog(folder, { files });
  const empty = { steps: [], evals: [], samples: [], probes: [], changes: [] };
  const { steps, evals, samples, probes, changes } = records.length > 0 ? historyOf(records) : empty;
  return {
    corpus: checkpoint?.corpus,
    settings: checkpoint?.settings ?? {},
    steps,
    evals: evals.filter((e) => e.part === 'dev'),
    samples,
    probes,
    changes,
    step: checkpoint?.step ?? 0,
  };
}

/** Summarizes the stored models that have a training log. */
export async function readRuns(store: Pick<ModelStore, 'filesOf' | 'info'>): Promise<RunSummary[]> {
  const { models } = await store.info();
  const logs = await Promise.all(
    models.map(async ({ name }) => ({
      folder: name,
      records: await readTrainingLog(modelFolder(name), { files: await store.filesOf(name) }),
    })),
  );
  return summarizeRuns(logs.filter(({ records }) => records.some(({ type }) => type === 'start')));
}
