// The page's side of documents-protocol.ts: calls become messages to the worker, which starts with the first
// call.

import type { Calls, Reply, SegmentView } from './documents-protocol.ts';

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** The worker as an object. */
export class DocumentsClient {
  /** Called for each translated segment, and when the worker does something else. */
  onSegment: (segment: SegmentView) => void = () => undefined;
  onStatus: (text: string) => void = () => undefined;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #calls = 0;

  /** Makes a call. Rejects with a message for the visitor. */
  call<N extends keyof Calls>(name: N, ...args: Parameters<Calls[N]>): Promise<ReturnType<Calls[N]>> {
    this.#worker ??= this.#start();
    const id = ++this.#calls;
    return new Promise<ReturnType<Calls[N]>>((resolve, reject) => {
      this.#pending.set(id, { resolve: (value) => resolve(value as ReturnType<Calls[N]>), reject });
      this.#worker?.postMessage({ id, name, args });
    });
  }

  #start(): Worker {
    const worker = new Worker(new URL('./worker/documents-worker.ts', import.meta.url), {
      type: 'module',
      name: 'heddle documents',
    });
    worker.onmessage = ({ data }: MessageEvent<Reply>) => this.#receive(data);
    worker.onerror = ({ message }) => {
      for (const { reject } of this.#pending.values())
        reject(new Error(`The worker failed: ${message || 'it did not load'}`));
      this.#pending.clear();
    };
    return worker;
  }

  #receive(reply: Reply): void {
    if (reply.type === 'segment') this.onSegment(reply.segment);
    else if (reply.type === 'status') this.onStatus(reply.text);
    else this.#settle(reply);
  }

  #settle(reply: Extract<Reply, { type: 'result' | 'error' }>): void {
    const call = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (reply.type === 'result') call?.resolve(reply.value);
    else call?.reject(new Error(reply.message));
  }
}
