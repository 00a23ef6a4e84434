// A model folder that says nothing of what must come out, against this engine's own references in float64: logits of ids at random. It
// shows that the backend computes what the model says; whether that is what its makers meant, only an expected.json tells.

import { cpuEngine } from '../../engine/engine.ts';
import type { JobContext } from '../../runtime/job.ts';
import type { Compared } from './verify-job.ts';
import { compareLogits, logitsOf, readSubject } from './verify-subject.ts';

/** Tokens of each row: few, since the references take seconds for a model of ordinary size; the second row is padded. */
const lengths = [4, 2];

/** Largest max|x - ref| / max|ref|, as for golden cases. */
const limit = 1e-4;

/** Compares one folder. Throws a HeddleError where it cannot be read. */
export async function verifyReference(
  folder: string,
  context: JobContext,
): Promise<{ compared: Compared[]; fact: string }> {
  const subject = await readSubject(folder, context, lengths);
  const { logits } = await logitsOf(subject, 'f32', context);
  const exact = await logitsOf(subject, 'f32', { engine: async () => cpuEngine() });
  const { error, different, places } = compareLogits(logits, exact.logits, subject.config.tgtVocab);
  return {
    compared: [{ quantity: 'logits of float64', error, limit, passed: error <= limit }],
    fact: `no expected.json; ids at random, another token is the likeliest at ${different} of ${places} places`,
  };
}
