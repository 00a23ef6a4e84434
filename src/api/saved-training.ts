// Reads the checkpoint and the log of a saved model.

import { type Message, renderMessage } from '../core/message.ts';
import type { FolderSource } from '../files/given-files.ts';
import { withoutUndefined } from '../files/json-files.ts';
import type { ModelPlace } from '../session/host.ts';
import { openPlace } from '../session/open-place.ts';
import type { CorpusArguments } from '../train/data/corpus-arguments.ts';
import { corpusFile } from '../train/data/corpus-kinds.ts';
import { corpusName } from '../train/data/load-corpus.ts';
import type { LogRecord } from '../train/report/training-log.ts';
import { readLog } from '../train/run/logbook.ts';
import { argumentsIn, readTrainingState } from '../train/run/training-state.ts';
import { SettingTable, type TrainSettings } from '../train/settings/train-settings.ts';

/** State of the training in a checkpoint. */
export interface Checkpoint {
  /** Number of updates done. */
  readonly step: number;
  /** Planned number of updates; undefined if only the number of epochs is known. */
  readonly steps: number | undefined;
  readonly corpus: CorpusArguments;
  /** `English to Spanish, from Unicode CLDR`, or the file name. */
  readonly corpusName: string;
  /**
   * Path of the TSV file with the training pairs, if they are stored with the model (`keep` of the corpus).
   */
  readonly storedPairs: string | undefined;
  /** Settings at the start of the training. */
  readonly settings: TrainSettings;
}

/**
 * Reads the checkpoint of a model: its name, a .zip archive, or the files of its folder. Throws a HeddleError if it
 * has none.
 * @example
 * const { step, steps, settings } = await readCheckpoint('out');
 */
export async function readCheckpoint(model: FolderSource, place: ModelPlace = {}): Promise<Checkpoint> {
  const { files, folder } = await openPlace('readCheckpoint', model, place);
  const state = await readTrainingState(files, folder);
  const { corpus, out: _, resume: __, ...given } = argumentsIn(state, folder, new SettingTable());
  const settings: TrainSettings = withoutUndefined<unknown>(given);
  const pairs = `${folder}/${corpusFile}`;
  return {
    step: state.step,
    steps: state.steps ?? settings.steps,
    corpus,
    corpusName: corpusName(corpus),
    storedPairs: (await files.exists(pairs)) ? pairs : undefined,
    settings,
  };
}

/**
 * Reads the training log of a model. Empty if it is missing, or if it is damaged; `onMessage` receives the
 * reason.
 * @example
 * const { steps, evals } = historyOf(await readTrainingLog('out'));
 */
export async function readTrainingLog(
  model: FolderSource,
  {
    onMessage,
    ...place
  }: ModelPlace & { readonly onMessage?: (text: string, template: Message) => void } = {},
): Promise<LogRecord[]> {
  const { files, folder } = await openPlace('readTrainingLog', model, place, ['onMessage']);
  return readLog(files, folder, (message) => onMessage?.(renderMessage(message), message));
}
