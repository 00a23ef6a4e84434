// What ships with the page: a small model of spoken commands, numbers and dates, and clips of espeak-ng for visitors
// without a microphone (npm run demo:clips).

import type { ModelChoice } from './speech-protocol.ts';

/** The model that ships with the page. */
export const shippedModel: Required<ModelChoice> = {
  name: 'Spoken commands',
  url: new URL('../models/speech.safetensors', import.meta.url).href,
};

/** What it can do, and how it was made. */
export const aboutShipped =
  'Knows 150 English words: commands for lights, timers and turns, numbers, dates and times. Trained with heddle from ' +
  'scratch on 2,613 clips of espeak-ng.';

/** A clip that ships with the page. */
export interface ShippedClip {
  readonly text: string;
  readonly url: string;
}

/** Clips to listen to, by a voice that the model knows well. */
export const listenClips: readonly ShippedClip[] = [
  {
    text: 'turn on the heater in the office',
    url: new URL('./clips/listen-1.wav', import.meta.url).href,
  },
  { text: 'wednesday march twenty second', url: new URL('./clips/listen-2.wav', import.meta.url).href },
  {
    text: 'seven thousand one hundred and thirty three',
    url: new URL('./clips/listen-3.wav', import.meta.url).href,
  },
];

/** Sentences to record, with clips of a voice that the model does not know. */
export const teachClips: readonly ShippedClip[] = [
  { text: 'stop the timer for seven hours', url: new URL('./clips/teach-1.wav', import.meta.url).href },
  { text: 'the thirtieth of september', url: new URL('./clips/teach-2.wav', import.meta.url).href },
  { text: 'half past nine', url: new URL('./clips/teach-3.wav', import.meta.url).href },
  { text: 'dim the lamp in the hall', url: new URL('./clips/teach-4.wav', import.meta.url).href },
  {
    text: 'cancel the alarm for thirty one minutes',
    url: new URL('./clips/teach-5.wav', import.meta.url).href,
  },
  { text: 'move right again', url: new URL('./clips/teach-6.wav', import.meta.url).href },
  { text: 'turn off the light in the kitchen', url: new URL('./clips/teach-7.wav', import.meta.url).href },
  { text: 'sixty five', url: new URL('./clips/teach-8.wav', import.meta.url).href },
  { text: 'quarter past two', url: new URL('./clips/teach-9.wav', import.meta.url).href },
  {
    text: 'turn on the television in the bathroom',
    url: new URL('./clips/teach-10.wav', import.meta.url).href,
  },
];

/** The bytes of a clip. Rejects with a message for the visitor. */
export async function fetchClip({ text, url }: ShippedClip): Promise<File> {
  const response = await fetch(url).catch(() => undefined);
  if (!response?.ok) throw new Error('The clip could not be downloaded; check the network connection.');
  return new File([await response.blob()], `${text}.wav`, { type: 'audio/wav' });
}
