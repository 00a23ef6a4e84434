// The model of a job: its folder, and how it is loaded.

import type { LoadOptions } from '../../api/load-options.ts';
import type { LanguageOptions } from '../../decode/text-options.ts';

/** A trained model, and options of `openFolder`; plain JSON. */
export interface ModelArguments
  extends Pick<LoadOptions, 'ensemble' | 'weights' | 'weightsExclude'>,
    LanguageOptions {
  readonly folder: string;
  /** Folder of a LoRA adapter to merge into the weights. */
  readonly lora?: string;
}
