// How far a model whose weights are kept in fewer bits is from itself in f32, on the same backend: logits, and which token is the most
// likely.

import type { WeightFormat } from '../../model/quantized-parameters.ts';
import type { JobContext } from '../../runtime/job.ts';
import { describeWeights } from '../../runtime/weight-format.ts';
import type { Compared } from './verify-job.ts';
import { compareLogits, logitsOf, readSubject } from './verify-subject.ts';

/** Largest max|x - f32| / max|f32| of logits: some times what models have that are sound, about 5e-4 as f16 and 2e-2 as int8. */
const limits: Readonly<Record<Exclude<WeightFormat, 'f32'>, number>> = { f16: 5e-3, int8: 1e-1 };

/** Tokens of each row where the folder says none. */
const lengths = [16, 16, 16, 16];

/** Compares one folder; `fact` says what the weights take. Throws a HeddleError where it cannot be read. */
export async function verifyWeights(
  folder: string,
  format: Exclude<WeightFormat, 'f32'>,
  context: JobContext,
): Promise<{ compared: Compared[]; fact: string }> {
  const subject = await readSubject(folder, context, lengths);
  const [whole, kept] = [await logitsOf(subject, 'f32', context), await logitsOf(subject, format, context)];
  const { error, different, places } = compareLogits(kept.logits, whole.logits, subject.config.tgtVocab);
  const limit = limits[format];
  const memory = describeWeights(subject.config, format, kept.bytes);
  return {
    compared: [{ quantity: `logits as ${format} of f32`, error, limit, passed: error <= limit }],
    fact: `${memory}; another token is the likeliest at ${different} of ${places} places`,
  };
}
