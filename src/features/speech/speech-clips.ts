// Clips of the caller as pairs: recordings with their texts, for a training of a speech model.

import { check } from '../../core/errors.ts';
import { fingerprintOf } from '../../core/fingerprint.ts';
import { msg } from '../../core/message.ts';
import type { GivenDataReader } from '../../session/given-data.ts';
import type { Pair } from '../../text/corpus/pairs.ts';
import { type SpeechInput, samplesOf } from './transcribe-speech.ts';

/** A recording and what is said in it. */
export interface Clip {
  /** The recording. */
  readonly audio: SpeechInput;
  /** What is said in it: the target of the training. */
  readonly text: string;
}

/**
 * The pairs of clips: the source names the recording by its contents, and `samples` gets its samples. Throws a
 * HeddleError that names an invalid clip; `name`: the list's name in it.
 */
export async function clipPairs(
  clips: readonly Clip[],
  name: string,
  samples: Map<string, Float32Array>,
): Promise<Pair[]> {
  const pairs: Pair[] = [];
  for (const [i, clip] of clips.entries()) {
    check(
      typeof clip?.text === 'string' && clip.text.trim() !== '',
      msg`${name}[${i}] must be { audio, text }, a recording and its text`,
    );
    const audio = await samplesOf(clip.audio, `${name}[${i}]`);
    const source = `clip ${fingerprintOf([audio])}`;
    samples.set(source, audio);
    pairs.push({ source, target: clip.text });
  }
  return pairs;
}

/** Reads clips that programs give. */
export const clipReader: GivenDataReader = {
  pairsOf: (given, name, data) => clipPairs(given as readonly Clip[], name, data),
};
