// The step of SpecAugment: fresh masks of the frames of each batch in each epoch.

import type { DataStep } from '../../../session/data-step.ts';
import { wholeBatch } from '../../../text/batches/batch-source.ts';
import { createFrameMasks } from '../batches/frame-masks.ts';
import { framesOf } from '../batches/frame-rows.ts';
import { maskOptions } from '../speech-settings.ts';

/** Masks frames; the batches of sources without frames stay as they are. */
export const maskStep: DataStep = {
  async open(batches, { settings, seed }) {
    const { corpus, shapes, order } = batches;
    const frames = framesOf(corpus);
    const masks = frames && createFrameMasks(frames, maskOptions(settings), seed);
    if (!masks) return batches;
    return {
      ...batches,
      at(index) {
        const epoch = Math.floor(index / order.perEpoch);
        return wholeBatch(masks(corpus, order.rowsAt(index), epoch), shapes, order.shapeAt(index));
      },
    };
  },
};
