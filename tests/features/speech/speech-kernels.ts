// Models of frames with all kernels of speech: with both convolutions, and both kinds of widths.

import { speechRules } from '../../../src/features/speech/decode/speech-rules.ts';
import { frames } from '../../../src/features/speech/frame-source.ts';
import type { ModelOptions } from '../../../src/model/model-config.ts';
import type { GuestKernels } from '../../support/guest-kernels.ts';

/** What models of frames have in common, as Whisper. */
const speech = { source: 'frames', stem: 'conv', keyBias: false, positions: 'learned', norm: 'pre' } as const;

/** The kernels of speech. */
export const speechKernels: GuestKernels = {
  options: [
    { srcVocab: 20, tgtVocab: 24, dModel: 16, heads: 2, feedForward: 32, frameWidth: 8 },
    { srcVocab: 11, tgtVocab: 11, dModel: 10, heads: 1, feedForward: 7, frameWidth: 3 },
  ].map((sizes): ModelOptions => ({ ...sizes, ...speech })),
  sourceKind: frames,
  tokenRules: speechRules({ prompt: 1, banned: [], bannedFirst: [] }),
};
