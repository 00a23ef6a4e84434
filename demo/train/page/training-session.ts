// The page's side of a training: starts the worker, turns calls into messages and messages into events. The page's code calls this
// and nothing else of the engine; no timer of the page is needed for training to go on.

import type { PullProgress } from '../../../src/hub/pull-model.ts';
import type { StorageFacts } from '../../storage/model-store.ts';
import type {
  AttentionResult,
  Calls,
  Fault,
  MemoryFacts,
  PieceEvent,
  Reply,
  Request,
  SentDecodeOptions,
  SessionEvent,
  TrainingFacts,
  TrainingSettings,
  TranslationResult,
} from '../protocol.ts';

/** Why a call failed, for people in `message` and for code in `kind`. */
export class SessionError extends Error {
  readonly kind: Fault['kind'];

  constructor({ kind, message, stack }: Fault) {
    super(message);
    this.name = 'SessionError';
    this.kind = kind;
    if (stack) this.stack = stack;
  }
}

/** A training and the models in the browser. All functions reject with a SessionError. */
export interface Session {
  /** Hears of everything; returns a function that ends that. Events come in order. */
  on(listener: (event: SessionEvent) => void): () => void;
  /** What a training would be, before it starts; a later call ends an earlier one that has not come back (`aborted`). */
  describe(settings: TrainingSettings): Promise<TrainingFacts>;
  /**
   * Starts a training; resolves when it is under way, and rejects where it cannot: `locked`, `exists` (a model of that name is there
   * and `replace` is not true), `memory` (it does not fit), `user`. How it goes on, events say.
   */
  start(settings: TrainingSettings, options?: { replace?: boolean }): Promise<void>;
  /** Goes on with the last checkpoint of a model in the browser, with its own settings; more steps or epochs may be asked for. */
  resume(name: string, options?: { steps?: number; epochs?: number }): Promise<void>;
  /** Ends the step, saves a checkpoint and waits. Resolves when it waits; translating goes on. */
  pause(): Promise<void>;
  /** Goes on after `pause`. */
  continue(): Promise<void>;
  /** Ends the step, saves a checkpoint and ends the training. Resolves when it has ended. */
  stop(): Promise<void>;
  /**
   * Translates with the model that is in use: the one that trains, between two of its steps, else the one that was trained or loaded
   * last. Pieces come as they are chosen. Rejects with `user` where there is no model or an option is wrong, `aborted` by the signal.
   */
  translate(
    text: string,
    options?: SentDecodeOptions,
    onPiece?: (piece: PieceEvent) => void,
    signal?: AbortSignal,
  ): Promise<TranslationResult>;
  /** Translates greedily, and gives what each token of the translation looked at. */
  align(text: string, signal?: AbortSignal): Promise<AttentionResult>;
  /** Models in the browser, the last written first, and room. */
  storage(): Promise<StorageFacts>;
  /** Puts a model of the browser into use for translating. Not while a training runs. */
  load(name: string): Promise<void>;
  /** Copies a model of the browser under another name; the model that trains is saved first. */
  save(name: string, as: string): Promise<void>;
  /** Removes a model from the browser; `locked` where a tab trains it. */
  remove(name: string): Promise<void>;
  /** A model as one file: a zip of its folder, with the checkpoint to go on from. `heddle` takes the same file. */
  exportArchive(name: string): Promise<Blob>;
  /** The model without its checkpoint, as safetensors under PyTorch's names; `heddle` takes the same file. */
  exportSafetensors(name: string): Promise<Blob>;
  /** Puts an archive or safetensors, by the name's end, into the browser under a name, or the next that is free; resolves to the name. */
  importArchive(data: Blob, name: string): Promise<string>;
  /**
   * Fetches `OWNER/NAME`, or `OWNER/NAME@REVISION`, from the hub that the page's own server leads to at `hub/` beside the page;
   * resolves to the model's name here. `exists` where a model of that name is there, `aborted` by the signal. What has come when it
   * fails is kept, and the next call goes on with it.
   */
  pull(model: string, onProgress?: (progress: PullProgress) => void, signal?: AbortSignal): Promise<string>;
  /** Removes what has come of a model that `storage` says is waiting for the rest. */
  removeWaiting(name: string): Promise<void>;
  /** For tests and the soak script: loses the device; counts GPU buffers. */
  loseDevice(): Promise<void>;
  memory(): Promise<MemoryFacts>;
  /** Ends the worker at once; what is not in a checkpoint is gone. */
  close(): void;
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: SessionError): void;
  readonly onPiece?: ((piece: PieceEvent) => void) | undefined;
  readonly onBytes?: ((progress: PullProgress) => void) | undefined;
}

declare global {
  /** For scripts that drive the page (tests, the soak): the page's session, and what makes another with a worker of its own. */
  var heddlePage: { readonly session: Session; readonly createSession: typeof createSession } | undefined;
}

/** Settings of a session. */
export interface SessionOptions {
  /**
   * Whether kernels are chosen by measuring, which takes a few seconds before the first training; on a software adapter much longer.
   * Default: unless the page's address has `?tune=0`.
   */
  readonly tune?: boolean;
}

const wantsTuning = () => new URLSearchParams(location.search).get('tune') !== '0';

/** Starts a worker and gives its session, which stands on globalThis.heddlePage too. */
export function createSession({ tune = wantsTuning() }: SessionOptions = {}): Session {
  // The worker reads from its name whether to measure; its address must stand here as it is, for the build to find it.
  const worker = new Worker(new URL('../worker/training-worker.ts', import.meta.url), {
    type: 'module',
    name: tune ? 'heddle training' : 'heddle training, untuned',
  });
  const pending = new Map<number, Pending>();
  const listeners = new Set<(event: SessionEvent) => void>();
  let calls = 0;
  let closed: Fault | undefined;
  let describing = 0;

  const tell = (event: SessionEvent) => {
    for (const listener of listeners) listener(event);
  };
  /** Fails all that is pending and to come. */
  const end = (fault: Fault) => {
    closed ??= fault;
    for (const { reject } of pending.values()) reject(new SessionError(fault));
    pending.clear();
  };
  const send = (request: Request) => worker.postMessage(request);
  const settle = (id: number): Pending | undefined => {
    const call = pending.get(id);
    pending.delete(id);
    return call;
  };
  worker.onmessage = ({ data }: MessageEvent<Reply>) => {
    if (data.type === 'event') tell(data.event);
    else if (data.type === 'piece') pending.get(data.id)?.onPiece?.(data.piece);
    else if (data.type === 'bytes') pending.get(data.id)?.onBytes?.(data.progress);
    else if (data.type === 'answer') settle(data.id)?.resolve(data.value);
    else settle(data.id)?.reject(new SessionError(data.fault));
  };
  const broken = (message: string) => {
    end({ kind: 'bug', message });
    tell({ type: 'state', state: 'failed', model: '', step: 0, steps: 0, text: message });
  };
  worker.onerror = (event) => broken(`The training's worker broke: ${event.message || 'it did not load'}`);
  worker.onmessageerror = () => broken("A message of the training's worker could not be read.");

  function call<N extends keyof Calls>(
    name: N,
    args: Parameters<Calls[N]>,
    { onPiece, onBytes, signal }: Pick<Pending, 'onPiece' | 'onBytes'> & { signal?: AbortSignal | undefined } = {},
  ): { readonly id: number; readonly result: Promise<ReturnType<Calls[N]>> } {
    const id = ++calls;
    const result = new Promise<ReturnType<Calls[N]>>((resolve, reject) => {
      if (closed) return reject(new SessionError(closed));
      if (signal?.aborted) return reject(new SessionError({ kind: 'aborted', message: `${name}: cancelled` }));
      const cancel = () => send({ type: 'cancel', id });
      const done = () => signal?.removeEventListener('abort', cancel);
      pending.set(id, {
        resolve(value) {
          done();
          resolve(value as ReturnType<Calls[N]>);
        },
        reject(error) {
          done();
          reject(error);
        },
        onPiece,
        onBytes,
      });
      signal?.addEventListener('abort', cancel);
      send({ type: 'call', id, name, args });
    });
    return { id, result };
  }
  const ask = <N extends keyof Calls>(name: N, ...args: Parameters<Calls[N]>) => call(name, args).result;

  /** Asks the browser not to clear models by itself; it may say no, and nothing depends on its answer. */
  const persist = () => void navigator.storage?.persist?.().catch(() => false);

  const session: Session = {
    on(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    describe(settings) {
      if (describing) send({ type: 'cancel', id: describing });
      const { id, result } = call('describe', [settings]);
      describing = id;
      return result;
    },
    start(settings, { replace = false } = {}) {
      persist();
      return ask('start', settings, { replace });
    },
    resume(name, options = {}) {
      persist();
      return ask('resume', name, options);
    },
    pause: () => ask('pause'),
    continue: () => ask('continue'),
    stop: () => ask('stop'),
    translate: (text, options = {}, onPiece, signal) => call('translate', [text, options], { onPiece, signal }).result,
    align: (text, signal) => call('align', [text], { signal }).result,
    storage: () => ask('storage'),
    load: (name) => ask('load', name),
    save: (name, as) => ask('save', name, as),
    remove: (name) => ask('remove', name),
    exportArchive: (name) => ask('exportArchive', name),
    exportSafetensors: (name) => ask('exportSafetensors', name),
    importArchive: (data, name) => ask('importArchive', data, name),
    pull(model, onBytes, signal) {
      persist();
      return call('pull', [model, new URL('hub', document.baseURI).href], { onBytes, signal }).result;
    },
    removeWaiting: (name) => ask('removeWaiting', name),
    loseDevice: () => ask('loseDevice'),
    memory: () => ask('memory'),
    close() {
      worker.terminate();
      end({ kind: 'aborted', message: 'The session was closed.' });
    },
  };
  globalThis.heddlePage ??= { session, createSession };
  return session;
}
