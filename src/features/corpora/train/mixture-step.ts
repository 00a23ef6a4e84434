// The step of a corpus with weights: batches of each stage in the proportions of its files.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import type { DataStep } from '../../../session/data-step.ts';
import { batchesInOrder } from '../../../text/batches/batch-source.ts';
import { MixedBatches } from '../batches/mixed-batches.ts';
import { StagedBatches } from '../batches/staged-batches.ts';
import { StageRun } from './stages.ts';

/** Mixes the files of a corpus by the weights of its stages. */
export const mixtureStep: DataStep = {
  async open({ corpus, shapes }, { stages = [], fileSizes: sizes = [], seed, train = {} }) {
    const staged = new StagedBatches(
      stages.map(({ weights }, stage) => {
        const batches = new MixedBatches(corpus, shapes, { sizes, weights, seed, stage });
        check(batches.perEpoch > 0, msg`no pair is left for stage ${stage + 1}`, { area: 'train' });
        return batches;
      }),
    );
    return {
      ...batchesInOrder(corpus, shapes, staged),
      stages: {
        start: (index) => staged.start(index),
        open: (run, start = (index) => staged.start(index)) => new StageRun(train, stages, start, run),
      },
    };
  },
};
