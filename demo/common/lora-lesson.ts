// The training of a LoRA adapter from a visitor's own texts or recordings, which two pages do.

import { fixed, type Message, msg } from '../../src/core/message.ts';
import type { TrainOptions } from '../../src/entries/heddle.ts';

/** Settings of such a training except its data, batch size and learning rate. `onStatus` shows each step. */
export const loraLesson = (steps: number, onStatus: (text: Message) => void) =>
  ({
    lora: { rank: 8, targetModules: ['*'] },
    steps,
    warmupSteps: Math.ceil(steps / 10),
    schedule: 'cosine',
    evalSteps: steps,
    devSentences: 0,
    testSentences: 0,
    tune: false,
    onStep: ({ step, loss }) => onStatus(msg`Learning: step ${step} of ${steps}, loss ${fixed(loss, 2)}`),
  }) satisfies TrainOptions;
