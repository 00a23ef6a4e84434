// The shortest way to a model, on the references.
import { expect, it } from 'vitest';
import { cpuEngine } from '../../src/engine.ts';
import { learn } from '../../src/train/learn.ts';

it('names the step at which the loss is no number any more, counted from 1', async () => {
  const pairs = Array.from({ length: 8 }, (_, i) => ({ source: `one ${i}`, target: `uno ${i}` }));
  const model = { dModel: 8, heads: 2, encoderLayers: 1, decoderLayers: 1, feedForward: 8, maxLength: 8 };
  // The first update makes weights so large that products of them overflow.
  const training = learn(cpuEngine(), pairs, { model, batch: 8, steps: 9, learningRate: 1e200 });
  await expect(training).rejects.toThrow('The loss of step 2 is NaN; lower the learning rate.');
});
