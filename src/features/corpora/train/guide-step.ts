// The step of guided alignment: batches have the word alignments of their rows, and the loss has a part for them.

import { check } from '../../../core/errors.ts';
import { msg, option } from '../../../core/message.ts';
import type { DataStep, RunSettings } from '../../../session/data-step.ts';
import type { Batch } from '../../../text/batches/batch-source.ts';
import type { BatchShape } from '../../../text/batches/buckets.ts';
import { pathsOf } from '../../../text/corpus/pair-files.ts';
import { type CorporaSettings, guidedAlignmentWeight } from '../corpora-settings.ts';
import { readAlignments } from './guided-corpus.ts';
import { guidedLoss } from './guided-loss.ts';

const fileOf = (settings: RunSettings): string => (settings as CorporaSettings).guidedAlignment as string;

/** Guides a head of the last cross-attention by the word alignments of a file. */
export const guideStep: DataStep = {
  check(train) {
    check(train, msg`${option('guidedAlignment')} needs files of pairs, for whose lines it has alignments`, {
      area: 'train',
    });
    check(
      !pathsOf(train).includes('-'),
      msg`${option('guidedAlignment')} reads the pairs twice; give files, not stdin`,
      { area: 'train' },
    );
  },
  modelOptions: (_, start) => ({ alignmentHead: Math.max(0, start?.alignmentHead ?? 0) }),
  loss: (settings) =>
    guidedLoss((settings as CorporaSettings).guidedAlignmentWeight ?? guidedAlignmentWeight),
  async open(batches, { settings, train, pairs, files, readers, message, source, target }) {
    const { corpus, shapes, order } = batches;
    check(
      train && pairs && !corpus.sourceRows,
      msg`${option('guidedAlignment')} is for the tokens of texts; leave it out for other sources`,
      { area: 'train' },
    );
    const tokenizers = { source, target };
    const links = await readAlignments(
      fileOf(settings),
      train,
      { files, readers, message },
      { corpus, pairs, tokenizers },
    );
    const withLinks = (batch: Batch, index: number): Batch => ({
      ...batch,
      fill(arrays) {
        batch.fill(arrays);
        if (arrays.links instanceof Uint32Array)
          links.fill(arrays.links, shapes[batch.shape] as BatchShape, order.rowsAt(index));
      },
    });
    return {
      ...batches,
      at(index) {
        const batch = batches.at(index);
        return batch instanceof Promise
          ? batch.then((made) => withLinks(made, index))
          : withLinks(batch, index);
      },
    };
  },
};
