// Pairs of a file, for `evaluate`, `score` and `train`.

import { check, checkSignal } from '../core/errors.ts';
import { checkNames } from '../core/fields.ts';
import { untilAborted } from '../core/until-aborted.ts';
import { type FileSource, GivenFiles } from '../files/given-files.ts';
import { type Features, noFeatures } from '../session/feature-table.ts';
import { currentHost } from '../session/host.ts';
import { emitTo, type SessionEvent } from '../session/session-event.ts';
import type { PairFiles } from '../text/corpus/pair-files.ts';
import { formatFields, type Pair } from '../text/corpus/pairs.ts';
import { readPairs as readCorpusPairs } from '../train/data/read-pair-files.ts';

/** Options of `readPairs`. */
export interface ReadPairsOptions
  extends Pick<PairFiles, 'format' | 'sourceColumn' | 'targetColumn' | 'tags'> {
  /** Receives a message about invalid lines, and the progress. */
  readonly onEvent?: (event: SessionEvent) => void;
  /** Stops the call, which rejects with the signal's reason: an AbortError. */
  readonly signal?: AbortSignal;
}

/** `readPairs` of the library, with the guests that the caller has. */
export async function readPairs(
  file: FileSource,
  { onEvent, signal, ...format }: ReadPairsOptions = {},
  features: Features = noFeatures,
): Promise<Pair[]> {
  checkNames({ area: 'readPairs', others: ['onEvent', 'signal'] }, formatFields, Object.keys(format));
  checkSignal(signal);
  check(typeof file === 'string' || file instanceof Blob, 'give a path, a File or a Blob', {
    area: 'readPairs',
  });
  return untilAborted(signal, async () => {
    const given = new GivenFiles(currentHost().files);
    const session = { files: given.files, emit: emitTo(onEvent), signal, features };
    return readCorpusPairs({ files: [given.path(file)], ...format }, session);
  });
}
