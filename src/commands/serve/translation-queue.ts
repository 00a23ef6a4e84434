// The queue of a model: sentences of concurrent requests become batches. Each batch takes sentences of all waiting
// requests in turn, so that a long request does not delay short ones.

import { HeddleError } from '../../core/errors.ts';
import type { GenerateOptions, Generation } from '../../decode/text-options.ts';

/** A text of a request that waits. */
interface WaitingText extends TextDemand {
  readonly text: string;
  readonly index: number;
}

/** What is asked of the translation of one text. */
interface TextDemand {
  readonly phrases?: NonNullable<GenerateOptions['phrases']>[number];
  readonly placeholders?: string;
}

/** A call that waits for translations. */
interface WaitingCall {
  /** Calls with the same key can share a batch. */
  readonly key: string;
  readonly options: Omit<QueuedOptions, keyof TextDemand>;
  readonly texts: WaitingText[];
  readonly results: Generation[][];
  left: number;
  resolve(results: Generation[][]): void;
  reject(error: unknown): void;
}

/** Options of a call: plain values, and its signal. */
export interface QueuedOptions extends Omit<GenerateOptions, 'onPiece' | 'onLongText' | 'onProgress'> {
  /** Name of the LoRA adapter; undefined: none. */
  readonly lora?: string;
}

/** What the queue runs on. */
export interface QueueModel {
  /** Translates a batch. */
  generate(texts: readonly string[], options: QueuedOptions): Promise<Generation[][]>;
}

/** Observes the queue, for metrics. */
export interface QueueObserver {
  batch(texts: number, seconds: number): void;
}

/** Thrown if too many texts wait. */
export class QueueFullError extends Error {}

/** The demands of the texts of a batch as options; none if there are none. */
const demandsOf = (texts: readonly TextDemand[]): Pick<QueuedOptions, keyof TextDemand> => ({
  phrases: texts.some(({ phrases }) => phrases) ? texts.map(({ phrases = [] }) => phrases) : undefined,
  placeholders: texts.some(({ placeholders }) => placeholders !== undefined)
    ? texts.map(({ placeholders }) => placeholders)
    : undefined,
});

/** A queue with one worker. */
export class TranslationQueue {
  readonly #model: QueueModel;
  readonly #batchSize: number;
  readonly #maxTexts: number;
  readonly #observer: QueueObserver;
  #calls: WaitingCall[] = [];
  /** Other work that has the model for itself, such as a streamed translation. */
  readonly #turns: (() => Promise<void>)[] = [];
  #isRunning = false;
  #prefersTurn = false;

  constructor(
    model: QueueModel,
    { batchSize, maxTexts }: { readonly batchSize: number; readonly maxTexts: number },
    observer: QueueObserver,
  ) {
    this.#model = model;
    this.#batchSize = batchSize;
    this.#maxTexts = maxTexts;
    this.#observer = observer;
  }

  /** Number of texts that wait. */
  get waiting(): number {
    return this.#calls.reduce((n, { texts }) => n + texts.length, 0) + this.#turns.length;
  }

  /** Translates texts, in order. Rejects with a QueueFullError, or the reason of the signal. */
  generate(texts: readonly string[], options: QueuedOptions): Promise<Generation[][]> {
    if (texts.length === 0) return Promise.resolve([]);
    // A request may be larger than the queue if nothing waits.
    if (this.waiting > 0 && this.waiting + texts.length > this.#maxTexts)
      return Promise.reject(new QueueFullError('the queue is full; try again later'));
    const { signal, phrases, placeholders, ...plain } = options;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const call: WaitingCall = {
        key: JSON.stringify(plain),
        options: plain,
        texts: texts.map((text, index) => {
          const demand = { phrases: phrases?.[index], placeholders: placeholders?.[index] };
          return { text, index, ...demand };
        }),
        results: texts.map(() => []),
        left: texts.length,
        resolve,
        reject,
      };
      signal?.addEventListener('abort', () => {
        this.#calls = this.#calls.filter((other) => other !== call);
        reject(signal.reason as Error);
      });
      this.#calls.push(call);
      this.#start();
    });
  }

  /** Runs work that has the model for itself, between two batches. Rejects as `generate`. */
  inTurn(work: () => Promise<void>): Promise<void> {
    if (this.waiting >= this.#maxTexts)
      return Promise.reject(new QueueFullError('the queue is full; try again later'));
    return new Promise((resolve, reject) => {
      this.#turns.push(() => work().then(resolve, reject));
      this.#start();
    });
  }

  #start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    // Requests that arrive together share the first batch.
    setImmediate(() => void this.#run());
  }

  async #run(): Promise<void> {
    for (;;) {
      const turn = this.#prefersTurn || this.#calls.length === 0 ? this.#turns.shift() : undefined;
      this.#prefersTurn = !turn;
      if (turn) await turn();
      else if (this.#calls.length > 0) await this.#runBatch();
      else if (this.#turns.length === 0) break;
    }
    this.#isRunning = false;
  }

  /** A batch of the calls with the key of the call that waits longest. */
  async #runBatch(): Promise<void> {
    const [first] = this.#calls;
    if (!first) return;
    const calls = this.#calls.filter(({ key }) => key === first.key);
    const batch: { readonly call: WaitingCall; readonly text: WaitingText }[] = [];
    while (batch.length < this.#batchSize && calls.some(({ texts }) => texts.length > 0))
      for (const call of calls) {
        const text = batch.length < this.#batchSize ? call.texts.shift() : undefined;
        if (text) batch.push({ call, text });
      }
    // The calls of this batch go behind the others, so that no key waits forever.
    const others = this.#calls.filter((call) => !calls.includes(call));
    this.#calls = [...others, ...calls].filter(({ texts }) => texts.length > 0);
    const begin = performance.now();
    try {
      const texts = batch.map(({ text }) => text.text);
      const found = await this.#model.generate(texts, {
        ...first.options,
        ...demandsOf(batch.map(({ text }) => text)),
      });
      for (const [i, { call, text }] of batch.entries()) {
        call.results[text.index] = found[i] ?? [];
        if (--call.left === 0) call.resolve(call.results);
      }
      this.#observer.batch(batch.length, (performance.now() - begin) / 1000);
    } catch (error) {
      for (const { call } of batch) {
        this.#calls = this.#calls.filter((other) => other !== call);
        call.reject(error instanceof Error ? error : new HeddleError(String(error)));
      }
    }
  }
}
