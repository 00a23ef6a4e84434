// The training of a saved model: its checkpoint, from which it can be resumed, and its log.

import type { Files } from '../files/files.ts';
import type { LogRecord } from '../report/training-log.ts';
import type { CorpusArguments } from '../runtime/load-corpus.ts';
import { corpusName, readLog } from '../train/logging.ts';
import { startArguments } from '../train/resume-arguments.ts';
import { settingsIn, type TrainSettings } from '../train/settings.ts';
import { readTrainingState } from '../trainer/training-state.ts';
import { currentPlatform } from './platform.ts';

/** Where a saved model is. */
export interface SavedTrainingOptions {
  /** Files in which the name is the path of a folder. [those of the platform: names of `save` and `checkpoint`] */
  readonly files?: Files;
}

/** A checkpoint: how far its training is, and what it trains. */
export interface Checkpoint {
  /** Number of updates done. */
  readonly step: number;
  /** Planned number of updates; undefined for one that has counted epochs only. */
  readonly steps: number | undefined;
  readonly corpus: CorpusArguments;
  /** `English to Spanish, from Unicode CLDR`, or the file name. */
  readonly corpusName: string;
  /** The settings that the training started with. */
  readonly settings: TrainSettings;
}

/**
 * Reads the checkpoint of a model. Throws a HeddleError if it has none.
 * @example
 * const { step, steps, settings } = await readCheckpoint('out');
 */
export async function readCheckpoint(name: string, options: SavedTrainingOptions = {}): Promise<Checkpoint> {
  const { files, folder } = placeOf(name, options);
  const state = await readTrainingState(files, folder);
  const { corpus, ...given } = startArguments(state, folder);
  const settings = settingsIn(given);
  return {
    step: state.step,
    steps: state.steps ?? settings.steps,
    corpus,
    corpusName: corpusName(corpus),
    settings,
  };
}

/**
 * Reads the training log of a model; empty if it is missing or broken, of which `onMessage` is informed.
 * @example
 * const { steps, evals } = historyOf(await readTrainingLog('out'));
 */
export async function readTrainingLog(
  name: string,
  { onMessage = () => {}, ...options }: SavedTrainingOptions & { readonly onMessage?: (text: string) => void } = {},
): Promise<LogRecord[]> {
  const { files, folder } = placeOf(name, options);
  return readLog(files, folder, onMessage);
}

function placeOf(name: string, { files }: SavedTrainingOptions): { readonly files: Files; readonly folder: string } {
  if (files) return { files, folder: name };
  const platform = currentPlatform();
  return { files: platform.files, folder: platform.modelPath(name) };
}
