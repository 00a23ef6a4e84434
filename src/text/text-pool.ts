// Runs text tasks (text-tasks.ts) on the chunks of a corpus, in threads of the host or in this thread.
import { type ErrorKind, HeddleError } from '../core/errors.ts';
import { type Pace, runPaced, type Steps, type WorkProgress } from '../core/steps.ts';
import { mainTasks, type TextTask, type TextTaskKind } from './text-tasks.ts';

/** A thread of the host; messages are structured clones. */
export interface TextThread {
  /** Sends a message to the thread. */
  send(message: unknown): void;
  /** Ends the thread, also in the middle of its work. */
  stop(): void;
}

/** Threads of a host. Each runs `serveTextTasks`. */
export interface TextThreads {
  /** Maximum number of threads. */
  readonly count: number;
  /** Starts a thread. `onEnd` is called if it ends or does not start, with the reason. */
  start(onMessage: (message: unknown) => void, onEnd: (error: Error) => void): TextThread;
}

/** A request to a thread; it answers them in order. */
type Request =
  | { readonly type: 'open' }
  | { readonly type: 'start'; readonly run: number; readonly name: string; readonly args: unknown }
  | { readonly type: 'map'; readonly run: number; readonly chunk: unknown }
  | { readonly type: 'end'; readonly run: number };

/**
 * A message from a thread. The answer to a request is any number of `progress`, then a result or an error.
 */
interface Reply {
  readonly progress?: WorkProgress;
  readonly error?: {
    readonly message: string;
    readonly stack: string | undefined;
    /** The kind of a HeddleError; undefined for a bug. */
    readonly kind: ErrorKind | undefined;
  };
  readonly result?: unknown;
}

type AnyTask = TextTask<unknown, unknown, unknown>;

/** Tasks of guests by name; each loads its code when it is opened (`Features.textTasks`). */
export type GuestTasks = Readonly<
  Record<string, () => Promise<TextTaskKind<unknown, unknown, unknown, unknown>>>
>;

/** Milliseconds between two progress messages of a chunk. */
const interval = 100;

/**
 * Serves the requests in a thread: returns the function that receives messages; `post` sends the answers. `guests`: the
 * tasks besides those of the main house.
 */
export function serveTextTasks(
  post: (message: unknown) => void,
  guests: GuestTasks = {},
): (message: unknown) => void {
  const tasks = new Map<number, AnyTask>();
  let shown = 0;
  const pace: Pace = (progress) => {
    if (performance.now() - shown <= interval) return undefined;
    post({ progress } satisfies Reply);
    shown = performance.now();
    return undefined;
  };
  const answer = async (request: Request): Promise<unknown> => {
    if (request.type === 'open') return undefined;
    if (request.type === 'start') {
      const kinds: readonly TextTaskKind<unknown, unknown, unknown, unknown>[] = mainTasks;
      const kind = kinds.find(({ name }) => name === request.name) ?? (await guests[request.name]?.());
      if (!kind) throw new Error(`this thread has no task ${request.name}`);
      return void tasks.set(request.run, kind.open(request.args));
    }
    const task = tasks.get(request.run) as AnyTask;
    if (request.type === 'map') return mapPaced(task, request.chunk, pace);
    tasks.delete(request.run);
    return task.end?.();
  };
  let last: Promise<void> = Promise.resolve();
  return (message) => {
    last = last.then(async () => {
      try {
        post({ result: await answer(message as Request) } satisfies Reply);
      } catch (thrown) {
        const { message, stack } = thrown as Error;
        const kind = thrown instanceof HeddleError ? thrown.kind : undefined;
        post({ error: { message, stack, kind } } satisfies Reply);
      }
    });
  };
}

/** Runs a task on a chunk, and calls `pace` between its steps. */
async function mapPaced(task: AnyTask, chunk: unknown, pace: Pace): Promise<unknown> {
  const part = await task.map(chunk);
  const steps = typeof part === 'object' && part !== null && Symbol.iterator in part && 'next' in part;
  return steps ? runPaced(part as Steps<unknown>, pace) : part;
}

/** Options of `TextPool.run`. */
export interface RunOptions<Args, Chunk, Part, Result> {
  readonly task: TextTaskKind<Args, Chunk, Part, Result>;
  readonly args: Args;
  readonly chunks: Iterable<Chunk> | AsyncIterable<Chunk>;
  /** Progress of the run. Default: the sum of the progress of its chunks. */
  readonly progress?: () => WorkProgress;
  /** Receives the result of chunk `index`; chunks end in any order. */
  onPart?(part: Part, index: number, chunk: Chunk): void;
  /** Maximum number of threads; 0: only this thread. Default: all. */
  readonly threads?: number;
}

/** Runs tasks. */
export type TextPool = Awaited<ReturnType<typeof openTextPool>>;

/**
 * Opens a pool. Without `host`, or if no thread starts, tasks run in this thread. `pace` is called between
 * steps and with the progress of threads; `signal` stops the threads at once.
 */
export async function openTextPool(pace: Pace, host?: TextThreads, signal?: AbortSignal) {
  let stop = (): void => undefined;
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(signal?.reason);
  });
  stopped.catch(() => undefined);
  if (signal?.aborted) stop();
  signal?.addEventListener('abort', stop);
  const started = Array.from({ length: host?.count ?? 0 }, () => openThread(host as TextThreads));
  const opened = await Promise.allSettled(started.map((thread) => thread.call({ type: 'open' })));
  const threads = started.filter((_, i) => opened[i]?.status === 'fulfilled');
  let runs = 0;
  return {
    /** Whether it has threads besides this one. */
    parallel: threads.length > 0,
    /**
     * Runs a task; resolves to the result of each thread. Rejects if `pace` rejects, a thread ends, or the
     * signal is aborted.
     */
    async run<Args, Chunk, Part, Result>(options: RunOptions<Args, Chunk, Part, Result>): Promise<Result[]> {
      const { task: kind, args, chunks, progress, onPart, threads: maxThreads = threads.length } = options;
      const source =
        Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]();
      let taken = 0;
      /** Runs chunks, one after the other. */
      const work = async (map: (chunk: Chunk, index: number) => Promise<unknown>): Promise<void> => {
        for (;;) {
          const index = taken++;
          const { done, value } = await source.next();
          if (done) return;
          const part = await map(value, index);
          onPart?.(part as Part, index, value);
          if (progress) await pace(progress());
        }
      };
      if (threads.length === 0 || maxThreads === 0) {
        const task = kind.open(args);
        await work((chunk) => mapPaced(task, chunk, progress ? () => undefined : pace));
        return task.end ? [await task.end()] : [];
      }
      const run = runs++;
      // Latest progress of each chunk, by index.
      const steps: WorkProgress[] = [];
      const report = (step: WorkProgress, index: number): void => {
        steps[index] = step;
        const same = steps.filter((other) => other?.task === step.task);
        const sum = (key: 'done' | 'total') => same.reduce((n, other) => n + other[key], 0);
        pace({ task: step.task, done: sum('done'), total: sum('total') })?.catch(() => undefined); // `stopped` rejects too
      };
      const all = threads.slice(0, maxThreads).map(async (thread) => {
        await thread.call({ type: 'start', run, name: kind.name, args });
        await work((chunk, index) =>
          thread.call({ type: 'map', run, chunk }, (step) => void (progress || report(step, index))),
        );
        return thread.call({ type: 'end', run });
      });
      return (await Promise.race([Promise.all(all), stopped])) as Result[];
    },
    /** Stops the threads. */
    close(): void {
      signal?.removeEventListener('abort', stop);
      for (const thread of started) thread.stop();
    },
  };
}

/** Starts a thread that answers requests in order. */
function openThread(host: TextThreads) {
  const waiting: {
    resolve(x: unknown): void;
    reject(e: Error): void;
    onProgress?: (p: WorkProgress) => void;
  }[] = [];
  let ended: Error | undefined;
  const thread = host.start(
    (reply) => {
      const { progress, error, result } = reply as Reply;
      if (progress) return waiting[0]?.onProgress?.(progress);
      const request = waiting.shift();
      if (!error) return request?.resolve(result);
      const { message, kind } = error;
      const thrown = kind ? new HeddleError(message, { kind }) : new Error(message);
      if (!kind) thrown.stack = error.stack ?? '';
      request?.reject(thrown);
    },
    (error) => {
      ended = error;
      for (const { reject } of waiting.splice(0)) reject(error);
    },
  );
  return {
    stop: () => thread.stop(),
    call: (request: Request, onProgress?: (progress: WorkProgress) => void) =>
      new Promise<unknown>((resolve, reject) => {
        if (ended) return reject(ended);
        waiting.push({ resolve, reject, onProgress });
        thread.send(request);
      }),
  };
}
