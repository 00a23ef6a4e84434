// The page's side of language-protocol.ts.

import { WorkerClient } from '../common/worker-client.ts';
import type { Calls, WorkerEvent } from './language-protocol.ts';

/** The worker as an object. */
export class LanguageClient extends WorkerClient<Calls, WorkerEvent> {
  /** `onProgress`: called while the worker runs a step. */
  constructor(onProgress: (event: WorkerEvent) => void) {
    super(
      () =>
        new Worker(new URL('./worker/language-worker.ts', import.meta.url), {
          type: 'module',
          name: 'heddle language',
        }),
      onProgress,
    );
  }
}
