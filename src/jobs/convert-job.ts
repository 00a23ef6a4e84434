// heddle convert: a model folder from one layout into another.

import { HeddleError } from '../core/errors.ts';
import { writeFolder } from '../files/files.ts';
import { type HfType, hfTypes } from '../formats/hf/hf-fields.ts';
import { hfParts } from '../formats/hf/save-hf.ts';
import { kerasParts } from '../formats/keras.ts';
import { saveModelFolder } from '../formats/model-folder.ts';
import { pytorchParts } from '../formats/pytorch.ts';
import type { WeightDtype } from '../formats/shared/saved-model.ts';
import { parameterList } from '../model/parameters.ts';
import type { Job } from '../runtime/job.ts';
import { openModel } from '../runtime/open-model.ts';

/** Layouts that are written. */
export const layouts = ['heddle', ...hfTypes, 'pytorch', 'keras'] as const;
/** Name of a layout. */
export type Layout = (typeof layouts)[number];

/** What to convert; plain JSON. */
export interface ConvertArguments {
  readonly folder: string;
  readonly out: string;
  readonly to: Layout;
  /** Of the weights of BART and MarianMT; as they came, or float32, where it is left out. */
  readonly dtype?: WeightDtype;
  /** Folder of an adapter that is merged into the weights. */
  readonly adapter?: string;
}

/** What was written; plain JSON. */
export interface Converted {
  readonly out: string;
  readonly to: Layout;
  readonly parameters: number;
}

/** Reads a model in any layout and writes it in another. Throws a HeddleError that names what the layout cannot express. */
export const convert: Job<ConvertArguments, Converted> = async ({ folder, out, to, dtype, adapter }, context) => {
  const model = await openModel(folder, context, adapter);
  const hf = hfTypes.find((type): type is HfType => type === to);
  if (dtype && !hf)
    throw new HeddleError(`convert: ${to} has float32 weights; a dtype is for ${hfTypes.join(' and ')}`);
  const { files } = context;
  if (hf) await writeFolder(files, out, hfParts(model, hf, dtype));
  else if (to === 'pytorch') await writeFolder(files, out, pytorchParts(model));
  else if (to === 'keras') await writeFolder(files, out, kerasParts(model));
  else await saveModelFolder(files, out, model);
  return { out, to, parameters: parameterList(model.config).count };
};
