// Teaches a model the words and the voice of recordings: trains a LoRA adapter on them, and measures word error rates
// before and after. Loaded at its first use, since it is the code of training.

import { type Message, msg } from '../../../src/core/message.ts';
import { HeddleError } from '../../../src/entries/heddle.ts';
import { wordErrorRate } from '../../../src/entries/metrics.ts';
import { type Clip, type SpeechModel, trainSpeechModel } from '../../../src/entries/speech.ts';
import { loraLesson } from '../../common/lora-lesson.ts';
import type { ErrorChange, TeachReport } from '../speech-protocol.ts';

/** Fewest recordings; of this many one is kept apart to measure. */
const [minClips, heldOutEvery] = [5, 5];

/** Updates, batch size and learning rate. */
const [steps, batchSize, learningRate] = [40, 8, 2e-3];

/** Letters and digits only, in lower case: models differ in case and punctuation. */
const plain = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s]/gu, '')
    .replaceAll(/\s+/g, ' ')
    .trim();

/** Words of texts that the model has no token for. */
export function unknownWords(model: SpeechModel, texts: readonly string[]): string[] {
  const { target } = model.tokenizers;
  const words = new Set(texts.flatMap((text) => text.split(' ')));
  return [...words].filter((word) => target.encode(word).includes(target.special.unknown));
}

/** The texts of clips as the model hears them. */
async function hear(model: SpeechModel, clips: readonly Clip[]): Promise<string[]> {
  const texts: string[] = [];
  for (const { audio } of clips) texts.push((await model.transcribe(audio, { temperature: 0 })).text);
  return texts;
}

const errorsOf = (heard: readonly string[], clips: readonly Clip[]): number =>
  wordErrorRate(
    heard.map(plain),
    clips.map(({ text }) => plain(text)),
  ).rate;

/**
 * Trains the adapter and stores it under a name. The model has no adapter in use. Throws a HeddleError if there are
 * too few recordings.
 */
export async function teachRecordings(
  model: SpeechModel,
  clips: readonly Clip[],
  adapter: string,
  onStatus: (text: Message) => void,
): Promise<TeachReport> {
  if (clips.length < minClips)
    throw new HeddleError(msg`Record at least ${minClips} sentences first; there are ${clips.length}.`);
  const begin = performance.now();
  const heldOut = clips.filter((_, i) => i % heldOutEvery === heldOutEvery - 1);
  const learned = clips.filter((clip) => !heldOut.includes(clip));
  const measure = async (by: SpeechModel) => [
    errorsOf(await hear(by, learned), learned),
    errorsOf(await hear(by, heldOut), heldOut),
  ];
  onStatus(msg`Measuring before…`);
  const [before = 0, heldBefore = 0] = await measure(model);
  const tuned = await trainSpeechModel(learned, {
    from: model,
    ...loraLesson(steps, onStatus),
    batchSize: Math.min(batchSize, learned.length),
    learningRate,
    dev: heldOut,
  });
  try {
    onStatus(msg`Measuring after…`);
    const [after = 0, heldAfter = 0] = await measure(tuned);
    await tuned.save(adapter, { format: 'lora', force: true });
    const change = (list: readonly Clip[], from: number, to: number): ErrorChange => ({
      clips: list.length,
      before: from,
      after: to,
    });
    return {
      learned: change(learned, before, after),
      heldOut: change(heldOut, heldBefore, heldAfter),
      steps,
      seconds: (performance.now() - begin) / 1000,
      unknown: unknownWords(
        model,
        clips.map(({ text }) => text),
      ),
    };
  } finally {
    tuned.dispose();
  }
}
