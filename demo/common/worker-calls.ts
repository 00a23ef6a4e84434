// The worker's side of worker-client.ts: a message is a call, and its answer goes back.

import { reasonOf } from '../../src/core/errors.ts';
import type { WorkerAnswer, WorkerRequest } from './worker-client.ts';

/** The functions that a worker offers, by name. */
export type CallHandlers<Calls extends Record<keyof Calls, (...args: never[]) => unknown>> = {
  [N in keyof Calls]: (...args: Parameters<Calls[N]>) => Promise<ReturnType<Calls[N]>>;
};

/** Answers the call of a message. An abort has an empty message: the visitor asked for it. */
export async function answerCall<Name extends PropertyKey>(
  calls: Readonly<Record<Name, (...args: never[]) => Promise<unknown>>>,
  { id, name, args }: WorkerRequest<Name>,
): Promise<void> {
  const post = (answer: WorkerAnswer): void => self.postMessage(answer);
  try {
    const call = calls[name] as (...given: readonly unknown[]) => Promise<unknown>;
    post({ type: 'result', id, value: await call(...args) });
  } catch (error) {
    const isAbort = error instanceof Error && error.name === 'AbortError';
    post({ type: 'error', id, message: isAbort ? '' : reasonOf(error) });
  }
}
