// The page's connection to the lab worker.

import type { KernelSpec } from '../../src/bench/kernel-case.ts';
import type { OwnKernel, ShownKernel } from '../../src/bench/own-kernel.ts';
import type { LabReply, LabRequest, LabSettings, TriedReply } from './lab-protocol.ts';

/** Receives the messages of a measurement. */
export type LabListener = (reply: LabReply) => void;

/** The connection. */
export interface LabSession {
  /** Starts a measurement; its messages go to the listener. */
  start(settings: LabSettings): void;
  /** Starts a conformance check. */
  check(): void;
  /** Stops the measurement or check before the next kernel. */
  stop(): void;
  /** The dispatches of a kernel. Rejects with the worker's message. */
  show(spec: KernelSpec): Promise<ShownKernel>;
  /** Checks and times a kernel of the visitor. Rejects with the worker's message. */
  run(
    spec: KernelSpec,
    own: OwnKernel,
    time: { readonly span: number; readonly rounds: number },
  ): Promise<TriedReply>;
}

/** Creates the connection; the worker is started with the first request, and again after an error. */
export function createLabSession(listener: LabListener): LabSession {
  let worker: Worker | undefined;
  let ids = 0;
  const pending = new Map<number, { resolve(value: never): void; reject(error: Error): void }>();
  const fail = (message: string) => {
    worker?.terminate();
    worker = undefined;
    for (const { reject } of pending.values()) reject(new Error(message));
    pending.clear();
    listener({ type: 'failed', message });
  };
  const onMessage = ({ data }: MessageEvent<LabReply>) => {
    if (data.type === 'failed') return fail(data.message);
    if (data.type !== 'shown' && data.type !== 'tried' && data.type !== 'rejected') return listener(data);
    const request = pending.get(data.id);
    pending.delete(data.id);
    if (data.type === 'rejected') request?.reject(new Error(data.message));
    else request?.resolve((data.type === 'shown' ? data.kernel : data.reply) as never);
  };
  const open = (): Worker => {
    const started = new Worker(new URL('./lab-worker.ts', import.meta.url), {
      type: 'module',
      name: 'heddle kernel lab',
    });
    started.onmessage = onMessage;
    started.onerror = (event) => fail(`The lab worker failed: ${event.message || 'it did not load'}`);
    return started;
  };
  const send = (request: LabRequest) => {
    worker ??= open();
    worker.postMessage(request);
  };
  const ask = <T>(request: (id: number) => LabRequest): Promise<T> =>
    new Promise((resolve, reject) => {
      const id = ++ids;
      pending.set(id, { resolve, reject });
      send(request(id));
    });
  return {
    start: (settings) => send({ type: 'start', settings }),
    check: () => send({ type: 'check' }),
    stop: () => send({ type: 'stop' }),
    show: (spec) => ask((id) => ({ type: 'show', id, spec })),
    run: (spec, own, time) => ask((id) => ({ type: 'try', id, spec, own, ...time })),
  };
}
