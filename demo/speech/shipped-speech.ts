// What ships with the page: a small model of spoken commands, numbers and dates, and clips of espeak-ng for visitors
// without a microphone (npm run demo:clips).

import { english } from '../common/english.ts';
import { say } from '../common/page-texts.ts';
import type { ModelChoice } from './speech-protocol.ts';

/** The model that ships with the page. */
export const shippedModel: Required<ModelChoice> = {
  name: english`Spoken commands`,
  url: new URL('../models/speech.safetensors', import.meta.url).href,
};

/** What it can do, and how it was made. */
export const aboutShipped = say`Knows 150 English words: commands for lights, timers and turns, numbers, dates and times. Trained with heddle from scratch on 2,613 clips of espeak-ng.`;

/** A clip that ships with the page. */
export interface ShippedClip {
  readonly text: string;
  readonly url: string;
}

const clip = (name: string, text: string): ShippedClip => ({
  text,
  url: new URL(`./clips/${name}.wav`, import.meta.url).href,
});

/** Clips to listen to, by a voice that the model knows well. */
export const listenClips: readonly ShippedClip[] = [
  clip('listen-1', 'turn on the heater in the office'),
  clip('listen-2', 'wednesday march twenty second'),
  clip('listen-3', 'seven thousand one hundred and thirty three'),
];

/** Sentences to record, with clips of a voice that the model does not know. */
export const teachClips: readonly ShippedClip[] = [
  clip('teach-1', 'stop the timer for seven hours'),
  clip('teach-2', 'the thirtieth of september'),
  clip('teach-3', 'half past nine'),
  clip('teach-4', 'dim the lamp in the hall'),
  clip('teach-5', 'cancel the alarm for thirty one minutes'),
  clip('teach-6', 'move right again'),
  clip('teach-7', 'turn off the light in the kitchen'),
  clip('teach-8', 'sixty five'),
  clip('teach-9', 'quarter past two'),
  clip('teach-10', 'turn on the television in the bathroom'),
];

/** The bytes of a clip. Rejects with a message for the visitor. */
export async function fetchClip({ text, url }: ShippedClip): Promise<File> {
  const response = await fetch(url).catch(() => undefined);
  if (!response?.ok) throw new Error(say`The clip could not be downloaded; check the network connection.`);
  return new File([await response.blob()], `${text}.wav`, { type: 'audio/wav' });
}
