// heddle verify: compares this engine with references, quantity by quantity, on the backend of the job: golden cases
// with PyTorch or Hugging Face's families in float64, Hugging Face folders with their expected.json, other model folders with the float64 reference.

import type { Files } from '../../files/files.ts';
import { readJson } from '../../files/json-files.ts';

import { readGolden } from '../../formats/golden-case.ts';
import { isGoldenHf, readGoldenHf } from '../../formats/golden-hf.ts';
import type { WeightFormat } from '../../model/quantized-parameters.ts';

import type { Job, JobContext } from '../../runtime/job.ts';
import { checkExpected, hasExpected } from './expected-outputs.ts';
import { checkGolden, type Row } from './golden-checks.ts';
import { checkReference, checkWeights } from './logit-checks.ts';

/** One compared quantity of a case. */
export interface Comparison {
  readonly quantity: string;
  /** max|x - ref| / max|ref|; for decoding the number of wrong tokens; for logits of expected.json max|x - ref|. */
  readonly error: number;
  readonly limit: number;
  readonly passed: boolean;
}

/** Result of one case. */
export interface VerifiedCase {
  readonly name: string;
  readonly backend: string;
  readonly compared: readonly Comparison[];
  /** A note for the user. */
  readonly fact?: string;
}

/** Arguments of the job; plain JSON. */
export interface VerifyArguments {
  /** Golden cases and model folders. */
  readonly folders: readonly string[];
  /**
   * Format of the weights. f16 and int8 are compared with f32 (default: f32, compared with the reference of the
   * folder).
   */
  readonly weights?: WeightFormat;
}

/**
 * Verifies each folder. A failed comparison is part of the result; a folder that cannot be read throws a HeddleError.
 */
export const verify: Job<VerifyArguments, VerifiedCase[]> = async ({ folders, weights = 'f32' }, context) => {
  const results: VerifiedCase[] = [];
  for (const folder of folders) {
    const name = folder.split('/').filter(Boolean).pop() ?? folder;
    const { rows, fact } = await check(folder, weights, context);
    const compared = rows.map(([quantity, error, limit]) => ({ quantity, error, limit, passed: error <= limit }));
    results.push({ name, backend: context.backend, compared, ...(fact !== undefined && { fact }) });
    context.emit({ type: 'progress', task: 'verify', done: results.length, of: folders.length, text: name });
  }
  return results;
};

async function check(
  folder: string,
  weights: WeightFormat,
  context: JobContext,
): Promise<{ rows: readonly Row[]; fact?: string }> {
  if (weights !== 'f32') return checkWeights(folder, weights, context);
  if (await hasExpected(context, folder)) return { rows: await checkExpected(folder, context) };
  if (await isModel(context.files, folder)) return checkReference(folder, context);
  return { rows: await checkGolden(await readCase(context.files, folder), () => context.engine()) };
}

/** The golden case of a folder. */
const readCase = async (files: Files, folder: string) =>
  (await isGoldenHf(files, folder)) ? readGoldenHf(files, folder) : readGolden(files, folder);

/** Whether a folder is a model and not a golden case. */
async function isModel(files: Files, folder: string): Promise<boolean> {
  const path = `${folder}/config.json`;
  if ((await files.exists(`${folder}/batch.safetensors`)) || !(await files.exists(path))) return false;
  const { model_type: type, format } = await readJson(files, path);
  return type !== undefined || format !== undefined;
}
