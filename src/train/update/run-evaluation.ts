// Evaluates a batch with the target given (teacher forcing): the sums of its losses, tokens and hits.

import type { Program } from '../../engine/engine.ts';
import { writeStep } from '../../engine/ops/step-scalars.ts';
import type { BatchArrays } from '../../text/batches/batches.ts';
import type { TokenSums } from '../../text/metrics/translation-metrics.ts';
import type { SpecialIds } from '../../text/tokenizers/tokenizer.ts';
import { inputArrays } from './training-graphs.ts';

/**
 * Runs a program of `evaluationGraph` on the batch that `fill` writes; returns the sums over its target
 * tokens. If a target token is `unknown`, it runs a second time with them as padding, which does not count.
 */
export async function runEvaluation(
  program: Program,
  fill: (arrays: BatchArrays) => unknown,
  { unknown, pad }: Pick<SpecialIds, 'unknown' | 'pad'> = { unknown: -1, pad: -1 },
): Promise<TokenSums> {
  const arrays = inputArrays(program);
  fill(arrays);
  writeStep(arrays.step);
  const { stats } = await program.run();
  const [loss = Number.NaN, tokens = 0, hits = 0] = [...(stats ?? [])];
  if (unknown === pad || !arrays.tgtOut.includes(unknown))
    return { loss, tokens, hits, knownTokens: tokens, knownHits: hits };
  for (let i = 0; i < arrays.tgtOut.length; i++) if (arrays.tgtOut[i] === unknown) arrays.tgtOut[i] = pad;
  const [, knownTokens = 0, knownHits = 0] = [...((await program.run()).stats ?? [])];
  return { loss, tokens, hits, knownTokens, knownHits };
}
