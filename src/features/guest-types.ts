// The table of the types that guests add to `train`: settings and forms of training data, a row for each guest.

import type { FileSource } from '../files/given-files.ts';
import type { CorpusMixture } from './corpora/corpus-stages.ts';
import type { GivenCorporaOptions } from './corpora/given-corpora-options.ts';
import type { Clip } from './speech/speech-clips.ts';
import type { SpeechOptions } from './speech/speech-options.ts';

/** Settings that guests bring. Those that are files may be File and Blob objects. */
export interface GuestOptions extends GivenCorporaOptions, SpeechOptions {}

/** Forms of pairs. */
export type GuestPairs = CorpusMixture<FileSource>;

/** Forms of data that are not texts. */
export type GuestClips = readonly Clip[];
