// heddle convert: reads a model in any format and writes it in another.

import { openFolder } from '../api/load-model.ts';
import type { ModelFormat, SaveOptions } from '../api/save-model.ts';
import type { Job } from '../runtime/job.ts';

/** What to convert; plain JSON. */
export interface ConvertArguments {
  readonly folder: string;
  readonly out: string;
  readonly to: ModelFormat;
  /** Type of the stored weights, for bart and marian; default: that of the source checkpoint, or f32. */
  readonly dtype?: NonNullable<SaveOptions['dtype']>;
  /** Folder of a LoRA adapter to merge into the weights. */
  readonly adapter?: string;
}

/** What was written; plain JSON. */
export interface Converted {
  readonly out: string;
  readonly to: ModelFormat;
  readonly parameters: number;
}

/** Converts a model. Throws a HeddleError that names what the format cannot express. */
export const convert: Job<ConvertArguments, Converted> = async ({ folder, out, to, dtype, adapter }, context) => {
  const model = await openFolder(folder, context, adapter ? { lora: adapter } : {});
  await model.save(out, { format: to, ...(dtype && { dtype }) });
  return { out, to, parameters: model.parameterCount };
};
