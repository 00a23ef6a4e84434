// What makes the frames of a source: the features of a clip in a file or of samples, or the image of a line of text.

import type { Files } from '../../../files/files.ts';
import type { VectorRow } from '../../../text/batches/encoded-corpus.ts';
import { clipFeatures } from '../audio/clip-features.ts';
import { LogMel } from '../audio/log-mel.ts';
import { readRecording } from '../audio/read-recording.ts';
import { readSpeechFile } from '../audio/speech-samples.ts';
import { drawLine, lineFrames, linePatchCount } from '../line-image.ts';

/** A source that has been read. */
export interface FrameSource {
  /** What determines the frames, for a hash. */
  readonly bytes: Uint8Array;
  /** Makes the frames. Throws a HeddleError that starts with the name of the source. */
  frames(): VectorRow;
}

/** Makes frames from sources, which pairs name. */
export interface FrameMaker {
  /** Settings that determine the frames; plain JSON. */
  readonly settings: readonly unknown[];
  /** Reads a source. Throws a HeddleError that starts with its name. */
  read(source: string): Promise<FrameSource>;
}

/**
 * Log-mel features of clips: of WAV files at paths, or of samples at 16 kHz by name. With `windowSamples`, silence
 * fills the window after a clip.
 */
export function clipMaker(
  mels: number,
  windowSamples: number | undefined,
  files: Files,
  samples: ReadonlyMap<string, Float32Array> | undefined,
): FrameMaker {
  const mel = new LogMel(mels);
  return {
    settings: ['log-mel', mels, windowSamples ?? 0],
    async read(source) {
      const own = samples?.get(source);
      if (own)
        return {
          bytes: new Uint8Array(own.buffer, own.byteOffset, own.byteLength),
          frames: () => clipFeatures(mel, own, windowSamples),
        };
      const bytes = await readRecording(files, source);
      return { bytes, frames: () => clipFeatures(mel, readSpeechFile(bytes, source), windowSamples) };
    },
  };
}

/** Images of lines of text: the source is the text. They are drawn when a batch first has them, and kept as bytes. */
export const lineMaker: FrameMaker = {
  settings: ['line'],
  read: async (source) => ({
    bytes: new TextEncoder().encode(source),
    frames() {
      let drawn: Uint8Array | undefined;
      return {
        length: linePatchCount(source.length),
        fill: 0,
        get data() {
          drawn ??= drawLine(source);
          return lineFrames(drawn);
        },
      };
    },
  }),
};
