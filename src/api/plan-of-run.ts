// The plans of a prepared run on a device, their memory, and whether they fit.

import { HeddleError, reasonOf } from '../core/errors.ts';
import type { Device } from '../engine/gpu/device.ts';
import type { Session } from '../session/session.ts';
import { type EncodedCorpus, sourceLength, targetLength } from '../text/batches/encoded-corpus.ts';
import type { PreparedRun } from '../train/run/prepared-run.ts';
import { type EvaluatedPairs, plansOfRun } from '../train/run/run-plans.ts';
import { trainingMemory, whyNotFit } from '../train/update/training-memory.ts';

/** Limits of the memory of a training. */
export interface MemoryLimits {
  readonly memoryBudget: number | undefined;
  readonly memoryLimit: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Bytes of a plan that a device may have; undefined: no limit. */
export const limitOf = (device: Device, { host }: Session): number | undefined =>
  device.traits.software ? host.memory : undefined;

/** The plans of a run and its memory, and why it does not fit; undefined if it fits. */
export async function planOf(
  run: PreparedRun,
  evaluated: EvaluatedPairs,
  device: Device,
  { memoryBudget, memoryLimit, signal }: MemoryLimits,
) {
  const { corpus } = run.data;
  const ids = corpus.count * 4 * meanLength(corpus);
  try {
    const plans = await plansOfRun(run, evaluated, device.traits, signal);
    const memory = trainingMemory(plans, run.parameters.count, ids);
    const why = whyNotFit(plans, memory, device, { memoryLimit, budget: memoryBudget });
    return { plans, memory, why };
  } catch (error) {
    if (!(error instanceof HeddleError)) throw error;
    return { plans: undefined, memory: undefined, why: reasonOf(error) };
  }
}

/** Mean number of tokens of a pair. */
function meanLength(corpus: EncodedCorpus): number {
  let sum = 0;
  for (let row = 0; row < corpus.count; row++) sum += sourceLength(corpus, row) + targetLength(corpus, row);
  return sum / corpus.count;
}
