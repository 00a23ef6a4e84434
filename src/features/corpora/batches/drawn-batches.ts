// Batches whose rows are drawn in threads, some batches ahead of the training.

import type { Batches } from '../../../text/batches/batches.ts';
import type { BatchShape } from '../../../text/batches/buckets.ts';
import type { EncodedCorpus } from '../../../text/batches/encoded-corpus.ts';
import type { TextPool } from '../../../text/text-pool.ts';
import { type DrawArguments, type DrawRequest, drawTask, pickRows } from './drawn-rows.ts';

/** Batches that are drawn before they are needed, besides one for each thread. */
const ahead = 2;

/** What the batches are drawn from. */
export interface DrawnBatchOptions {
  readonly corpus: EncodedCorpus;
  readonly shapes: readonly BatchShape[];
  readonly batches: Batches;
  readonly task: DrawArguments;
  /** Opens the pool at the first batch. */
  readonly openPool: () => Promise<TextPool>;
  /** Maximum number of threads of the pool; 0: draw in this thread. */
  readonly threads?: number;
}

/** A request that waits for a thread, or for its rows. */
interface Waiting {
  readonly request: DrawRequest;
  resolve(rows: EncodedCorpus): void;
  reject(error: unknown): void;
}

/** Draws the rows of batches in order, ahead of time. */
export class DrawnBatches {
  readonly #options: DrawnBatchOptions;
  /** Rows by the index of their batch. */
  readonly #drawn = new Map<number, Promise<EncodedCorpus>>();
  /** Requests that no thread has, and threads that wait for one. */
  readonly #requests: Waiting[] = [];
  readonly #idle: ((next: IteratorResult<DrawRequest>) => void)[] = [];
  /** Requests by the number of their chunk. */
  readonly #given: (Waiting | undefined)[] = [];
  #pool: Promise<TextPool> | undefined;
  #isClosed = false;
  #failure: unknown;

  constructor(options: DrawnBatchOptions) {
    this.#options = options;
  }

  /** The rows of a batch; also begins to draw the batches after it. */
  async rowsAt(index: number): Promise<EncodedCorpus> {
    this.#pool ??= this.#start();
    const { parallel } = await this.#pool;
    const last =
      index + (parallel && this.#options.threads !== 0 ? ahead + threadCount(this.#options.threads) : 0);
    for (let i = index; i <= last; i++) if (!this.#drawn.has(i)) this.#drawn.set(i, this.#request(i));
    const rows = this.#drawn.get(index) as Promise<EncodedCorpus>;
    for (const other of this.#drawn.keys()) if (other <= index) this.#drawn.delete(other);
    return rows;
  }

  /** Forgets the batches that are ahead: another stage begins. */
  restart(): void {
    this.#drawn.clear();
  }

  /** Stops the threads. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const resolve of this.#idle.splice(0)) resolve({ done: true, value: undefined });
    (await this.#pool)?.close();
  }

  #request(index: number): Promise<EncodedCorpus> {
    const { batches, corpus, shapes } = this.#options;
    const shape = shapes[batches.shapeAt(index)] as BatchShape;
    const numbers = batches.rowsAt(index).slice();
    const request: DrawRequest = {
      corpus: pickRows(corpus, numbers),
      numbers,
      draw: batches.drawAt(index),
      maxSource: shape.source,
      maxTarget: shape.target,
    };
    const rows = new Promise<EncodedCorpus>((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      const waiting: Waiting = { request, resolve, reject };
      const thread = this.#idle.shift();
      if (!thread) return void this.#requests.push(waiting);
      this.#given.push(waiting);
      thread({ done: false, value: request });
    });
    rows.catch(() => undefined); // it is reported when its batch is needed
    return rows;
  }

  async #start(): Promise<TextPool> {
    const { openPool, task, threads } = this.#options;
    const pool = await openPool();
    const chunks = { [Symbol.asyncIterator]: () => ({ next: () => this.#next() }) };
    const run = pool.run({
      task: drawTask,
      args: task,
      chunks,
      onPart: (rows, index) => {
        this.#given[index]?.resolve(rows);
        this.#given[index] = undefined;
      },
      threads,
    });
    run.catch((error: unknown) => {
      this.#failure = error;
      for (const waiting of [...this.#given, ...this.#requests.splice(0)]) waiting?.reject(error);
    });
    return pool;
  }

  /** The next request for a thread. */
  async #next(): Promise<IteratorResult<DrawRequest>> {
    if (this.#isClosed) return { done: true, value: undefined };
    const waiting = this.#requests.shift();
    if (!waiting) return new Promise((resolve) => this.#idle.push(resolve));
    this.#given.push(waiting);
    return { done: false, value: waiting.request };
  }
}

const threadCount = (threads: number | undefined): number => threads ?? 1;
