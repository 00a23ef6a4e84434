// The page's side of a worker that answers calls: calls become messages to the worker, which starts with the
// first call.

import type { Message } from '../../src/core/message.ts';
import { say } from './page-texts.ts';
import { translatedMessage } from './translated-message.ts';

/** A call to the worker. */
export interface WorkerRequest<Name = string> {
  readonly id: number;
  readonly name: Name;
  readonly args: readonly unknown[];
}

/** What the worker answers. */
export type WorkerAnswer =
  | { readonly type: 'result'; readonly id: number; readonly value: unknown }
  | { readonly type: 'error'; readonly id: number; readonly message: Message | string };

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** An event as a worker sends it: its `text` is a message, which the page renders. What a user said or wrote has other names. */
export type Sent<Event> = Event extends { readonly text: string }
  ? Omit<Event, 'text'> & { readonly text: Message | string }
  : Event;

/** An event of a worker with its text in the language of the page. */
export const inLanguage = <Event>(event: Sent<Event>): Event => {
  const { text } = event as { readonly text?: Message | string };
  return (text === undefined ? event : { ...(event as object), text: translatedMessage(text) }) as Event;
};

/** A function for each call. */
type Functions<Calls> = { [N in keyof Calls]: (...args: never[]) => unknown };

/** The worker as an object. `Event`: its messages that answer no call. */
export class WorkerClient<Calls extends Functions<Calls>, Event extends { readonly type: string }> {
  readonly #start: () => Worker;
  readonly #onEvent: (event: Event) => void;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #calls = 0;

  constructor(start: () => Worker, onEvent: (event: Event) => void) {
    this.#start = start;
    this.#onEvent = onEvent;
  }

  /** Makes a call. Rejects with a message for the visitor. */
  call<N extends keyof Calls>(name: N, ...args: Parameters<Calls[N]>): Promise<ReturnType<Calls[N]>> {
    this.#worker ??= this.#open();
    const id = ++this.#calls;
    return new Promise<ReturnType<Calls[N]>>((resolve, reject) => {
      this.#pending.set(id, { resolve: (value) => resolve(value as ReturnType<Calls[N]>), reject });
      this.#worker?.postMessage({ id, name, args } satisfies WorkerRequest<N>);
    });
  }

  /** Ends the worker. The next call starts another. */
  close(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  /** Sends data that is no call. */
  protected send(data: unknown, transfer: Transferable[] = []): void {
    this.#worker ??= this.#open();
    this.#worker.postMessage(data, transfer);
  }

  #open(): Worker {
    const worker = this.#start();
    worker.onmessage = ({ data }: MessageEvent<WorkerAnswer | Sent<Event>>) => this.#receive(data);
    worker.onerror = ({ message }) => {
      for (const { reject } of this.#pending.values())
        reject(new Error(say`The worker failed: ${message || say`it did not load`}`));
      this.#pending.clear();
    };
    return worker;
  }

  #receive(data: WorkerAnswer | Sent<Event>): void {
    const { type } = data as { readonly type: string };
    if (type !== 'result' && type !== 'error') {
      this.#onEvent(inLanguage(data as Sent<Event>));
      return;
    }
    const answer = data as WorkerAnswer;
    const call = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if (answer.type === 'result') call?.resolve(answer.value);
    else call?.reject(new Error(translatedMessage(answer.message)));
  }
}
