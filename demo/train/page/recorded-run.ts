// The recorded training of a model that ships with the page: curves, samples and attention for visitors who
// have not trained yet, or whose browser lacks WebGPU. scripts/train-demo-models.mjs writes it.

import type { TrainingHistory } from '../../../src/entries/reports.ts';
import { say } from '../../common/page-texts.ts';

/** A recorded training. */
export interface RecordedRun extends Pick<TrainingHistory, 'steps' | 'evals' | 'samples' | 'probes'> {
  /** Name of the corpus, and the adapter that it was trained on. */
  readonly corpus: string;
  readonly backend: string;
}

/** Loads the recorded run. Rejects if its file cannot be loaded. */
export async function loadRecordedRun(): Promise<RecordedRun> {
  const response = await fetch(new URL('../../models/en-es-run.json', import.meta.url));
  if (!response.ok)
    throw new Error(
      say`the recorded run could not be loaded: the server answered ${response.status}; reload the page`,
    );
  return response.json();
}
