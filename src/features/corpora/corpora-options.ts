// The options of `train` that corpora brings, with their documentation. Generated from
// src/features/corpora/corpora-settings.ts by `npx vitest run -u
// tests/features/corpora/corpora-settings.test.ts`: change the table, not this file.

/** Options of a training run that the guest corpora brings. */
export interface CorporaOptions {
  /**
   * Subword regularization: draw the pieces of each epoch with their probabilities to this power, e.g. 0.2
   * (0: the best pieces). A number of at least 0 (alpha). Default: 0.
   */
  readonly samplingAlpha?: number;
  /**
   * BPE-dropout: skip each merge with this probability, again in each epoch, e.g. 0.1. A number of at least 0
   * and below 1. Default: 0.
   */
  readonly bpeDropout?: number;
  /**
   * Augmentation, again in each epoch: web (the defaults of OpusTrainer), or names with rates, as
   * typos=0.1,terms=0.1 (docs/training.md). Default: none.
   */
  readonly augment?: readonly string[];
  /**
   * Guided alignment: train one head of the last cross-attention on the word alignments in this file, a line
   * 0-0 1-2 for each line of the files of pairs, as heddle align, fast_align and eflomal write it. Default:
   * none.
   */
  readonly guidedAlignment?: string;
  /**
   * Weight of the loss of guidedAlignment, beside that of the tokens. A number above 0 (weight). Default:
   * 0.1.
   */
  readonly guidedAlignmentWeight?: number;
}
