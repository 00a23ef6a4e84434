// The page's side of documents-protocol.ts.

import { WorkerClient } from '../common/worker-client.ts';
import type { Calls, SegmentView, WorkerEvent } from './documents-protocol.ts';

/** The worker as an object. */
export class DocumentsClient extends WorkerClient<Calls, WorkerEvent> {
  /** Called for each translated segment, and when the worker does something else. */
  onSegment: (segment: SegmentView) => void = () => undefined;
  onStatus: (text: string) => void = () => undefined;

  constructor() {
    super(
      () =>
        new Worker(new URL('./worker/documents-worker.ts', import.meta.url), {
          type: 'module',
          name: 'heddle documents',
        }),
      (event) => {
        if (event.type === 'segment') this.onSegment(event.segment);
        else this.onStatus(event.text);
      },
    );
  }
}
