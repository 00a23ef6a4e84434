// The page's side of speech-protocol.ts.

import { WorkerClient } from '../common/worker-client.ts';
import type { Calls, WorkerEvent } from './speech-protocol.ts';

/** The worker as an object. */
export class SpeechClient extends WorkerClient<Calls, WorkerEvent> {
  onPartial: (text: string) => void = () => undefined;
  onFrames: (logs: Float32Array, mels: number) => void = () => undefined;
  onStatus: (text: string) => void = () => undefined;

  constructor() {
    super(
      () =>
        new Worker(new URL('./worker/speech-worker.ts', import.meta.url), {
          type: 'module',
          name: 'heddle speech',
        }),
      (event) => {
        if (event.type === 'partial') this.onPartial(event.heard);
        else if (event.type === 'frames') this.onFrames(event.logs, event.mels);
        else this.onStatus(event.text);
      },
    );
  }

  /** Begins a stream of samples. */
  readonly sendBegin = (): void => this.send({ name: 'begin' });

  /** Samples of the microphone. */
  readonly sendPiece = (samples: Float32Array): void =>
    this.send({ name: 'piece', samples }, [samples.buffer as ArrayBuffer]);

  /** Ends the stream of samples. */
  readonly sendEnd = (): void => this.send({ name: 'end' });
}
