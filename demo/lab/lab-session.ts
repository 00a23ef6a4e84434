// The page's connection to the lab worker.

import type { LabReply, LabRequest, LabSettings } from './lab-protocol.ts';

/** Receives the messages of the worker. */
export type LabListener = (reply: LabReply) => void;

/** The connection. */
export interface LabSession {
  /** Starts a measurement; its messages go to the listener. */
  start(settings: LabSettings): void;
  /** Starts a conformance check. */
  check(): void;
  /** Stops the measurement or check before the next kernel. */
  stop(): void;
}

/** Creates the connection; the worker is started with the first measurement, and again after an error. */
export function createLabSession(listener: LabListener): LabSession {
  let worker: Worker | undefined;
  const fail = (message: string) => {
    worker?.terminate();
    worker = undefined;
    listener({ type: 'failed', message });
  };
  const open = (): Worker => {
    const made = new Worker(new URL('./lab-worker.ts', import.meta.url), { type: 'module', name: 'heddle kernel lab' });
    made.onmessage = ({ data }: MessageEvent<LabReply>) => {
      if (data.type === 'failed') fail(data.message);
      else listener(data);
    };
    made.onerror = (event) => fail(`The lab worker failed: ${event.message || 'it did not load'}`);
    return made;
  };
  const send = (request: LabRequest) => {
    worker ??= open();
    worker.postMessage(request);
  };
  return {
    start: (settings) => send({ type: 'start', settings }),
    check: () => send({ type: 'check' }),
    stop: () => send({ type: 'stop' }),
  };
}
