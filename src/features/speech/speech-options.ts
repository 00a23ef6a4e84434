// The options of `train` that speech brings, with their documentation. Generated from
// src/features/speech/speech-settings.ts by `npx vitest run -u
// tests/features/speech/speech-settings.test.ts`: change the table, not this file.

/** Options of a training run that the guest speech brings. */
export interface SpeechOptions {
  /**
   * SpecAugment, for models of frames: mask spans of frames in each epoch, together about this fraction, e.g.
   * 0.05. A number of at least 0 and below 1. Default: 0.
   */
  readonly maskTimeProb?: number;
  /** Length of a span of maskTimeProb. A whole number of at least 1 (frames). Default: 10. */
  readonly maskTimeLength?: number;
  /**
   * SpecAugment: mask bands of the numbers of each frame, together about this fraction, e.g. 0.1. A number of
   * at least 0 and below 1. Default: 0.
   */
  readonly maskFeatureProb?: number;
  /** Width of a band of maskFeatureProb. A whole number of at least 1. Default: 10. */
  readonly maskFeatureLength?: number;
}
