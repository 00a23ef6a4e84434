// Checks the options of loadModel by name; a call without options does not load this file.

import { checkFields, checkNames, choice } from '../core/fields.ts';
import { weightFormats } from '../model/sensitive-matrices.ts';
import type { LoadOptions } from './load-options.ts';

/** The names of all options. */
const names: Readonly<Record<keyof LoadOptions, true>> = {
  ...{ lora: true, ensemble: true, weights: true, weightsExclude: true, inMemory: true },
  ...{ sourceLang: true, targetLang: true, revision: true, hub: true, token: true, signal: true },
  ...{ onDownload: true, device: true, tune: true, maxSubmissionMs: true, memoryBudget: true, onEvent: true },
};

/** Throws a HeddleError for an option that loadModel does not have, with the one that it resembles. */
export function checkLoadOptions(options: LoadOptions): void {
  const area = { area: 'loadModel' };
  checkNames(area, Object.keys(names), Object.keys(options));
  checkFields(area, { weights: { type: choice(weightFormats, 'format') } }, { weights: options.weights });
}
