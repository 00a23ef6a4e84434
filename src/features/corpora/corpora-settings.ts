// The settings of a training that this guest brings: subword regularization, augmentation and guided alignment.

import { check } from '../../core/errors.ts';
import { list, notNegative, positive, rate, text, type ValuesOf } from '../../core/fields.ts';
import { msg, option } from '../../core/message.ts';
import { inGroup } from '../../core/setting.ts';
import type { GuestSettings } from '../../session/guest-settings.ts';

/** Default of the weight of guided alignment, that of Marian. */
export const guidedAlignmentWeight = 0.1;

const rows = inGroup('Data', {
  samplingAlpha: {
    type: notNegative('alpha'),
    help: 'subword regularization: draw the pieces of each epoch with their probabilities to this power, e.g. 0.2 (0: the best pieces)',
    defaultText: '0',
    onlyFor: ['tokenizer', 'unigram'],
  },
  bpeDropout: {
    type: rate,
    help: 'BPE-dropout: skip each merge with this probability, again in each epoch, e.g. 0.1',
    defaultText: '0',
    onlyFor: ['tokenizer', 'bpe'],
  },
  augment: {
    type: list('augmentations'),
    help: 'augmentation, again in each epoch: web (the defaults of OpusTrainer), or names with rates, as typos=0.1,terms=0.1 (docs/training.md)',
    defaultText: 'none',
  },
  guidedAlignment: {
    type: text('file'),
    help: 'guided alignment: train one head of the last cross-attention on the word alignments in this file, a line 0-0 1-2 for each line of the files of pairs, as heddle align, fast_align and eflomal write it',
    defaultText: 'none',
  },
  guidedAlignmentWeight: {
    type: positive('weight'),
    help: 'weight of the loss of --guided-alignment, beside that of the tokens',
    defaultText: String(guidedAlignmentWeight),
  },
});

/** Values of the settings. */
export type CorporaSettings = Partial<ValuesOf<typeof rows>>;

/** Settings that change the texts or the tokens that word alignments are made for. */
const unguided = ['samplingAlpha', 'bpeDropout', 'augment'] as const;

/** The rows of the settings, and the check of their combinations. */
export const corporaSettings: GuestSettings = {
  rows,
  files: ['guidedAlignment'],
  check(given) {
    const {
      lora,
      guidedAlignment,
      guidedAlignmentWeight: weight,
      ...others
    } = given as CorporaSettings & { readonly lora?: object };
    check(
      weight === undefined || guidedAlignment !== undefined,
      () =>
        msg`${option('guidedAlignmentWeight')} (${weight}) needs ${option('guidedAlignment')}, the file of word alignments`,
      { area: 'train' },
    );
    if (guidedAlignment === undefined) return;
    check(
      !lora,
      msg`${option('guidedAlignment')} trains a head of the attention itself; leave out ${option('lora')}`,
      { area: 'train' },
    );
    for (const name of unguided)
      check(
        !others[name],
        () =>
          msg`${option('guidedAlignment')} cannot be combined with ${option(name)} (${String(others[name])}), which changes the tokens of a pair in each epoch; leave one out`,
        { area: 'train' },
      );
  },
};
