// The training of a LoRA adapter from a visitor's own texts or recordings, which two pages do.

import type { TrainOptions } from '../../src/entries/heddle.ts';
import { english } from './english.ts';

/** Settings of such a training except its data, batch size and learning rate. `onStatus` shows each step. */
export const loraLesson = (steps: number, onStatus: (text: string) => void) =>
  ({
    lora: { rank: 8, targetModules: ['*'] },
    steps,
    warmupSteps: Math.ceil(steps / 10),
    schedule: 'cosine',
    evalSteps: steps,
    devSentences: 0,
    testSentences: 0,
    tune: false,
    onStep: ({ step, loss }) =>
      onStatus(english`Learning: step ${step} of ${steps}, loss ${loss.toFixed(2)}`),
  }) satisfies TrainOptions;
