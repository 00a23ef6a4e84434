// Prompts of a batch: tokens that the decoder reads before the first generated one.

import { check } from '../core/errors.ts';
import type { Outputs } from '../engine/gpu/output-ring.ts';
import { masked } from '../engine/ops/decoding/next-token.ts';
import type { DecodeBatch } from './decoder.ts';
import { rowStates } from './decoding-graphs.ts';

/**
 * The prompts of the sources of a batch: the start token and what follows it, all of one length. `onStep` gets the
 * outputs of the steps that read all tokens but the last one, and the sentence at each place of the batch. Throws a
 * HeddleError if the lengths differ.
 */
export function batchPrompts(
  prompts: readonly (readonly number[])[],
  onStep?: (position: number, outputs: Outputs, sentences: readonly number[]) => void,
): NonNullable<DecodeBatch['prompt']> {
  const length = prompts[0]?.length ?? 1;
  check(
    prompts.every((prompt) => prompt.length === length),
    'the prompts of a batch must be equally long',
    { area: 'decode' },
  );
  return {
    length,
    async read({ stage, sentences, settings }, engine) {
      const { shape, step, writeStep } = stage;
      const { beams: K = 1 } = shape;
      const states = rowStates(shape);
      const rows = Array.from({ length: shape.batch * K }, (_, r) => r);
      const sentenceOf = (r: number) => Math.max(0, sentences[Math.floor(r / K)] ?? 0);
      for (let t = 0; t < length; t++) {
        settings.signal?.throwIfAborted();
        engine.write(
          states.token.name,
          Int32Array.from(rows, (r) => prompts[sentenceOf(r)]?.[t] ?? 0),
        );
        engine.write(
          states.parent.name,
          Int32Array.from(rows, (r) => r % K),
        );
        // Beams start again from the first row of each sentence.
        if (settings.method === 'beam')
          engine.write(
            states.scores.name,
            Float32Array.from(rows, (r) => (r % K === 0 ? 0 : masked)),
          );
        if (t === length - 1) return;
        writeStep({ learningRate: 0, tokenWeight: 0, keep: 0, seed: settings.seed, step: t, position: t });
        if (onStep) onStep(t, await step.run(), sentences);
        else step.submit();
      }
    },
  };
}
