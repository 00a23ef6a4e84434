// The page's connection to the lab worker.

import type { KernelSpec } from '../../src/bench/kernel-case.ts';
import type { OwnKernel, ShownKernel } from '../../src/bench/own-kernel.ts';
import type { Message } from '../../src/core/message.ts';
import { say } from '../common/page-texts.ts';
import { translatedMessage } from '../common/translated-message.ts';
import type { LabReply, LabRequest, LabSettings, TriedReply } from './lab-protocol.ts';

/** Receives the messages of a measurement. */
export type LabListener = (reply: LabReply) => void;

/** A request of the editor that waits for its answer. */
interface Pending {
  resolve(value: never): void;
  reject(error: Error): void;
}

/** The connection; the worker is started with the first request, and again after an error. */
export class LabSession {
  readonly #listener: LabListener;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #ids = 0;

  constructor(listener: LabListener) {
    this.#listener = listener;
  }

  /** Starts a measurement; its messages go to the listener. */
  start(settings: LabSettings): void {
    this.#send({ type: 'start', settings });
  }

  /** Starts a conformance check. */
  check(): void {
    this.#send({ type: 'check' });
  }

  /** Measures the device for a report, and transformers.js beside heddle if the visitor agreed to load it. */
  measureDevice(withTransformers: boolean): void {
    this.#send({ type: 'device', transformersFrom: withTransformers ? document.baseURI : undefined });
  }

  /** Stops the measurement or check before the next kernel. */
  stop(): void {
    this.#send({ type: 'stop' });
  }

  /** The dispatches of a kernel. Rejects with the worker's message. */
  show(spec: KernelSpec): Promise<ShownKernel> {
    return this.#ask((id) => ({ type: 'show', id, spec }));
  }

  /** Checks and times a kernel of the visitor. Rejects with the worker's message. */
  run(
    spec: KernelSpec,
    own: OwnKernel,
    time: { readonly span: number; readonly rounds: number },
  ): Promise<TriedReply> {
    return this.#ask((id) => ({ type: 'try', id, spec, own, ...time }));
  }

  /**
   * Stops the requests of the editor at once, whatever their kernels do: ends the worker and with it its device.
   * They reject with an AbortError. The next request starts another worker.
   */
  stopRun(): void {
    this.#end(new DOMException(say`Stopped.`, 'AbortError'));
  }

  #ask<T>(request: (id: number) => LabRequest): Promise<T> {
    return new Promise((resolve, reject) => {
      const id = ++this.#ids;
      this.#pending.set(id, { resolve, reject });
      this.#send(request(id));
    });
  }

  #send(request: LabRequest): void {
    this.#worker ??= this.#open();
    this.#worker.postMessage(request);
  }

  #open(): Worker {
    const worker = new Worker(new URL('./lab-worker.ts', import.meta.url), {
      type: 'module',
      name: 'heddle kernel lab',
    });
    worker.onmessage = ({ data }: MessageEvent<LabReply>) => this.#receive(data);
    worker.onerror = (event) =>
      this.#fail(say`The lab worker failed: ${event.message || say`it did not load`}`);
    return worker;
  }

  #receive(reply: LabReply): void {
    if (reply.type === 'failed') this.#fail(reply.message);
    else if (reply.type !== 'shown' && reply.type !== 'tried' && reply.type !== 'rejected')
      this.#listener(reply);
    else {
      const request = this.#pending.get(reply.id);
      this.#pending.delete(reply.id);
      if (reply.type === 'rejected') request?.reject(new Error(translatedMessage(reply.message)));
      else request?.resolve((reply.type === 'shown' ? reply.kernel : reply.reply) as never);
    }
  }

  #fail(message: Message | string): void {
    this.#end(new Error(translatedMessage(message)));
    this.#listener({ type: 'failed', message });
  }

  /** Ends the worker; requests that wait for it reject with `reason`. */
  #end(reason: Error): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    for (const { reject } of this.#pending.values()) reject(reason);
    this.#pending.clear();
  }
}
