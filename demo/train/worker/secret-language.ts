// Teaches the model of the page a visitor's secret language: a LoRA adapter from a few pairs, in some seconds.

import { loadModel, type Model, type Pair, train } from '../../../src/entries/heddle.ts';
import { loraLesson } from '../../common/lora-lesson.ts';

/**
 * Measured on five pairs of Spanish with a word at the end, and seven other sentences: the rule is carried over to all
 * seven; to half of them after 30 updates. At a third of the rate only the pairs are learned, at twice the rate sentences
 * lose words.
 */
const [steps, learningRate] = [60, 0.01];

let base: Promise<Model> | undefined;

/** The model with the adapter. `onStep` is called with the updates done, and in total. */
export async function learnSecret(
  url: string,
  pairs: readonly Pair[],
  onStep: (step: number, of: number) => void,
): Promise<Model> {
  base ??= loadModel(url, { tune: false }) as Promise<Model>;
  base.catch(() => {
    base = undefined;
  });
  return train(pairs, {
    from: await base,
    ...loraLesson(steps, () => undefined),
    onStep: ({ step }) => onStep(step, steps),
    batchSize: pairs.length,
    heldOut: 0,
    learningRate,
  });
}
