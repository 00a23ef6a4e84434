// Whether the checkpoints of a run fit on the disk: an estimate before the start, and what is saved at the end if
// they do not.

import { HeddleError } from '../../core/errors.ts';
import { byteSize, msg } from '../../core/message.ts';
import { describedBytes } from '../../formats/save-heddle.ts';
import type { Session } from '../../session/session.ts';
import type { KnownModel } from '../data/new-model.ts';
import { optimizerStates } from '../update/optimizer-config.ts';
import type { PreparedRun } from './prepared-run.ts';
import type { CheckpointFolder } from './train-result.ts';

/** Bytes of configuration, log and report. */
const otherBytes = 200_000;

/** Bytes of the weights that a run saves, and of a whole checkpoint. */
interface SavedBytes {
  readonly model: number;
  readonly checkpoint: number;
}

/** What the size of a checkpoint depends on: the settings, the optimizer, the configuration and the tokenizers. */
interface SizedRun {
  readonly args: Pick<PreparedRun['args'], 'out' | 'keepLast' | 'lora'> & { readonly evalSteps: number };
  readonly update: Pick<PreparedRun['update'], 'optimizer'>;
  readonly data: KnownModel;
  readonly start?: PreparedRun['start'];
}

/** The number of all weights, and of those that are trained. */
interface Sizes {
  readonly trainable: { readonly [list in 'all' | 'parameters']: { readonly count: number } };
}

/** Estimates the bytes of a checkpoint: weights, tokenizers, moments and further copies of the weights. */
function savedBytes({ args, update, data, start }: SizedRun, { trainable }: Sizes): SavedBytes {
  const all = 4 * trainable.all.count;
  const other = otherBytes + (args.lora ? 0 : describedBytes({ ...start, ...data }));
  const moments = optimizerStates(update.optimizer).filter((name) => name.startsWith('moment')).length;
  // The moving average and the best weights are beside those of the training.
  const copies = update.optimizer.emaDecay > 0 || args.evalSteps > 0 ? 1 : 0;
  return {
    model: all + other,
    checkpoint: all * (1 + copies) + 4 * moments * trainable.parameters.count + other,
  };
}

/**
 * Warns if the disk of the model folder has no room for the checkpoints of a run: the old and the new one, while
 * it is replaced. Throws a HeddleError if not even the model fits.
 */
export async function checkDiskSpace(
  prepared: SizedRun,
  trainer: Sizes,
  { files, emit }: Pick<Session, 'files' | 'emit'>,
): Promise<void> {
  const { out, keepLast } = prepared.args;
  const free = out ? await files.free?.(out) : undefined;
  if (free === undefined) return;
  const { model, checkpoint } = savedBytes(prepared, trainer);
  const sizes = msg`a checkpoint takes about ${byteSize(checkpoint)}, the model ${byteSize(model)}, ${byteSize(free)} are free`;
  if (free < model)
    throw new HeddleError(msg`no room on the disk: ${sizes}; free some space, or use another disk`, {
      area: out,
      kind: 'quota',
    });
  if (free >= 2 * checkpoint + keepLast * model) return;
  const whole = free < checkpoint ? 'only the model can be saved at the end' : 'replacing it needs both';
  emit({ type: 'warning', text: msg`${out}: little room on the disk: ${sizes}; ${whole}` });
}

/**
 * Saves only the model at the end of a run whose whole checkpoint does not fit on the disk: in the model folder,
 * or beside it if that has an earlier checkpoint, which stays whole. Returns the folder; undefined if the model
 * does not fit either.
 */
export async function saveOnlyModel(
  { files, folder }: CheckpointFolder,
  hasCheckpoint: boolean,
  save: (place: CheckpointFolder) => Promise<void>,
): Promise<string | undefined> {
  const [, base = folder, ending = ''] = /^(.*?)(\.zip)?$/is.exec(folder) ?? [];
  const place = { files, folder: hasCheckpoint ? `${base}.model${ending}` : folder };
  try {
    await save(place);
    return place.folder;
  } catch (error) {
    if (error instanceof HeddleError && error.kind === 'quota') return undefined;
    throw error;
  }
}
