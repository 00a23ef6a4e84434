// Features of clips as a training needs them: without the frames of silence after a clip, which are all alike.

import { hopSamples, type LogMel } from './log-mel.ts';

/** Features of a clip: frames [n, mels], and those after them, whose numbers all are `fill`. */
export interface ClipFeatures {
  readonly data: Float32Array;
  /** Number of all frames. */
  readonly length: number;
  readonly fill: number;
}

/** Samples on each side of the middle of a frame. */
const reach = 200;

/**
 * Features of samples at 16 kHz. With `windowSamples`, silence fills the window after them; the features are those of
 * the whole window. Throws a HeddleError if there are 200 samples or fewer.
 */
export function clipFeatures(mel: LogMel, samples: Float32Array, windowSamples?: number): ClipFeatures {
  const plain = (of: Float32Array): ClipFeatures => {
    const data = mel.features(of);
    return { data, length: data.length / mel.mels, fill: 0 };
  };
  if (windowSamples === undefined) return plain(samples);
  const padded = (length: number) => {
    const all = new Float32Array(length);
    all.set(samples.subarray(0, length));
    return all;
  };
  // Frames from `own` on are silence, as far as the mirrored end of the window is. With three more, frame `own` has
  // only silence on both sides.
  const own = Math.ceil((samples.length + reach) / hopSamples);
  const some = (own + 3) * hopSamples;
  if (some >= windowSamples) return plain(padded(windowSamples));
  const data = mel.features(padded(some));
  return {
    data: data.subarray(0, own * mel.mels),
    length: Math.floor(windowSamples / hopSamples),
    fill: data[own * mel.mels] as number,
  };
}
