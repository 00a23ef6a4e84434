// The page's side of the measurements: starts the worker, and turns its messages into calls.

import type { LabReply, LabRequest, LabSettings } from './lab-protocol.ts';

/** What hears of a course of measurements. */
export type LabListener = (reply: LabReply) => void;

/** The worker behind the page. */
export interface LabSession {
  /** Starts a course; its replies go to the listener. */
  start(settings: LabSettings): void;
  /** Stops it before the next kernel. */
  stop(): void;
}

/** A session; the worker starts with the first course, and anew after one that broke. */
export function createLabSession(listener: LabListener): LabSession {
  let worker: Worker | undefined;
  const broken = (message: string) => {
    worker?.terminate();
    worker = undefined;
    listener({ type: 'failed', message });
  };
  const open = (): Worker => {
    const made = new Worker(new URL('./lab-worker.ts', import.meta.url), { type: 'module', name: 'heddle kernel lab' });
    made.onmessage = ({ data }: MessageEvent<LabReply>) => {
      if (data.type === 'failed') broken(data.message);
      else listener(data);
    };
    made.onerror = (event) => broken(`The lab's worker broke: ${event.message || 'it did not load'}`);
    return made;
  };
  const send = (request: LabRequest) => {
    worker ??= open();
    worker.postMessage(request);
  };
  return {
    start: (settings) => send({ type: 'start', settings }),
    stop: () => send({ type: 'stop' }),
  };
}
