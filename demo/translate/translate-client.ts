// The page's side of translate-protocol.ts.

import { WorkerClient } from '../common/worker-client.ts';
import type { Calls, TranslatedSentence, WorkerEvent } from './translate-protocol.ts';

/** The worker as an object. */
export class TranslateClient extends WorkerClient<Calls, WorkerEvent> {
  /** Receives each sentence of a translation. */
  onSentence: (run: number, index: number, of: number, sentence: TranslatedSentence) => void = () =>
    undefined;

  constructor() {
    super(
      () =>
        new Worker(new URL('./worker/translate-worker.ts', import.meta.url), {
          type: 'module',
          name: 'heddle translate',
        }),
      ({ run, index, of, sentence }) => this.onSentence(run, index, of, sentence),
    );
  }
}
