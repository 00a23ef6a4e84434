// The settings of a training that this guest brings: SpecAugment.

import { integer, rate, type ValuesOf } from '../../core/fields.ts';
import { inGroup } from '../../core/setting.ts';
import type { RunSettings } from '../../session/data-step.ts';
import type { GuestSettings } from '../../session/guest-settings.ts';
import type { MaskOptions } from './batches/frame-masks.ts';
import { speechMetrics } from './speech-metrics.ts';

const rows = inGroup('Data', {
  maskTimeProb: {
    type: rate,
    help: 'SpecAugment, for models of frames: mask spans of frames in each epoch, together about this fraction, e.g. 0.05',
    default: 0,
  },
  maskTimeLength: {
    type: integer(1, 'frames'),
    help: 'length of a span of --mask-time-prob',
    default: 10,
  },
  maskFeatureProb: {
    type: rate,
    help: 'SpecAugment: mask bands of the numbers of each frame, together about this fraction, e.g. 0.1',
    default: 0,
  },
  maskFeatureLength: {
    type: integer(1, 'n'),
    help: 'width of a band of --mask-feature-prob',
    default: 10,
  },
});

/** Values of the settings. */
export type SpeechSettings = Partial<ValuesOf<typeof rows>>;

/** The rows of the settings. */
export const speechSettings: GuestSettings = {
  rows,
  choices: { bestMetric: speechMetrics.map(({ name }) => name) },
};

/** Options of SpecAugment in the settings of a run. */
export function maskOptions(settings: RunSettings): MaskOptions {
  const {
    maskTimeProb = 0,
    maskTimeLength = 10,
    maskFeatureProb = 0,
    maskFeatureLength = 10,
  } = settings as SpeechSettings;
  return { maskTimeProb, maskTimeLength, maskFeatureProb, maskFeatureLength };
}
