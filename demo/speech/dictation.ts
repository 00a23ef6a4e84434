// The microphone of the front page's translator: the model of the page Speech writes what it hears into the box.

import type { DictationEvents } from '../common/dictation-events.ts';
import { say } from '../common/page-texts.ts';
import { HoldButton } from './hold-button.ts';
import { shippedModel } from './shipped-speech.ts';
import { SpeechClient } from './speech-client.ts';

/** A button that records while it is held. */
export function dictation({ onText, onProblem }: DictationEvents): HTMLElement {
  const client = new SpeechClient();
  const ready = client.call('use', shippedModel);
  ready.catch((error: Error) => onProblem(error.message));
  const button = new HoldButton('speak', say`Hold and speak`, client, {
    async onStart(rate) {
      try {
        await ready;
        const { text } = await client.call('listen', rate, undefined);
        if (text) onText(text.charAt(0).toUpperCase() + text.slice(1));
        else
          onProblem(say`Nothing was heard. The model knows 150 English words: commands, numbers and dates.`);
      } catch (error) {
        onProblem((error as Error).message);
      }
    },
    onProblem,
  });
  return button.element;
}
