// The page's connection to the training worker: turns calls into messages, and messages into results and
// events. Training does not depend on timers of the page.

import type {
  Inspection,
  InspectOptions,
  LiveSettings,
  ModelLanguages,
  PullProgress,
  RunSummary,
} from '../../../src/index.ts';
import type { StorageInfo } from '../../storage/model-store.ts';
import type {
  CallError,
  Calls,
  GpuMemory,
  LoadFrom,
  PieceEvent,
  Reply,
  Request,
  RunHistory,
  SentDecodeOptions,
  SentLanguages,
  SessionEvent,
  TrainingPreview,
  TrainingSettings,
  TranslationResult,
} from '../protocol.ts';

/** Error of a call: `message` for the visitor, `kind` for code. */
export class SessionError extends Error {
  readonly kind: CallError['kind'];

  constructor({ kind, message, stack }: CallError) {
    super(message);
    this.name = 'SessionError';
    this.kind = kind;
    if (stack) this.stack = stack;
  }
}

/** Trains, and manages the models in the browser. All functions reject with a SessionError. */
export interface Session {
  /** Adds a listener for all events, which arrive in order; returns a function that removes it. */
  on(listener: (event: SessionEvent) => void): () => void;
  /** Plans a training without starting it; a later call aborts an earlier one that is pending (`aborted`). */
  describe(settings: TrainingSettings): Promise<TrainingPreview>;
  /**
   * Starts a training; resolves before its first update; events report its progress. Rejects with `locked`,
   * `exists` (the name is taken and `replace` is not true), `memory` (it does not fit) or `user`.
   */
  start(settings: TrainingSettings, options?: { replace?: boolean }): Promise<void>;
  /**
   * Resumes from the last checkpoint of a model with its own settings, optionally for more steps or epochs in
   * total.
   */
  resume(name: string, options?: { steps?: number; epochs?: number }): Promise<void>;
  /**
   * Finishes the step, saves a checkpoint and pauses. Resolves when the training is paused; translating
   * remains possible.
   */
  pause(): Promise<void>;
  /**
   * Does one update of a paused training and saves a checkpoint. Resolves after its events, when the training
   * is paused again or has ended.
   */
  singleStep(): Promise<void>;
  /** Continues after `pause`. */
  continue(): Promise<void>;
  /**
   * Changes settings of a running training from its next update on; an event `change` reports it. Rejects
   * with `user` if a value is not allowed.
   */
  change(settings: LiveSettings): Promise<void>;
  /** Finishes the step, saves a checkpoint and ends the training. Resolves when it has ended. */
  stop(): Promise<void>;
  /**
   * Translates with the current model: the one that is training, between two steps, else the one that was
   * trained or loaded last. Tokens are streamed to `onPiece`. Rejects with `user` if there is no model or an
   * option is invalid, `aborted` by the signal.
   */
  translate(
    text: string,
    options?: SentDecodeOptions,
    onPiece?: (piece: PieceEvent) => void,
    signal?: AbortSignal,
  ): Promise<TranslationResult>;
  /**
   * The languages of the current model; undefined if it has none. Rejects with `user` if there is no model.
   */
  languages(): Promise<ModelLanguages | undefined>;
  /** Computes a text and a target with the current model: attention, next tokens, tensors. */
  inspect(text: string, options?: InspectOptions): Promise<Inspection>;
  /** Models in the browser, the most recent first, and storage use. */
  storage(): Promise<StorageInfo>;
  /** Settings, curves and samples of a stored model. */
  history(name: string): Promise<RunHistory>;
  /** Summaries of all stored runs; `folder` is the name of the model. */
  runs(): Promise<RunSummary[]>;
  /** The training pairs of a model that was trained on a file or text; rejects if they are not stored. */
  corpusOf(name: string): Promise<Uint8Array>;
  /**
   * Loads a model to translate with: from the browser or from a URL (`from`); a multilingual model with its
   * languages. Rejects while a training runs.
   */
  load(name: string, from?: LoadFrom, languages?: SentLanguages): Promise<void>;
  /** Copies a model under another name; a model that is training is saved first. */
  save(name: string, as: string): Promise<void>;
  /** Renames a model, which stays loaded; rejects with `locked` while a tab trains it. */
  rename(name: string, as: string): Promise<void>;
  /** Deletes a model; rejects with `locked` while a tab trains it. */
  remove(name: string): Promise<void>;
  /** Exports a model with its checkpoint as a zip archive, which the `heddle` command reads. */
  exportArchive(name: string): Promise<Blob>;
  /**
   * Exports a model without its checkpoint as safetensors with PyTorch's names, which the `heddle` command
   * reads.
   */
  exportSafetensors(name: string): Promise<Blob>;
  /**
   * Exports a model without its checkpoint for transformers.js, as a zip archive of ONNX files with int8
   * weights.
   */
  exportOnnx(name: string): Promise<Blob>;
  /**
   * Imports a zip archive or safetensors file (by the extension of `name`); resolves to the name of the
   * model, numbered if taken.
   */
  importArchive(data: Blob, name: string): Promise<string>;
  /**
   * Downloads `OWNER/NAME` or `OWNER/NAME@REVISION` from the hub: through the proxy `hub/` of the page's
   * server, or directly if it has none; resolves to the name of the model in the browser. Rejects with
   * `exists` if the name is taken, `aborted` by the signal. The next call continues an incomplete download.
   */
  pull(model: string, onProgress?: (progress: PullProgress) => void, signal?: AbortSignal): Promise<string>;
  /** Deletes an incomplete download. */
  removePartial(name: string): Promise<void>;
  /** For tests and scripts/soak.mjs: destroys the device; counts GPU buffers. */
  loseDevice(): Promise<void>;
  memory(): Promise<GpuMemory>;
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: SessionError): void;
  readonly onPiece?: ((piece: PieceEvent) => void) | undefined;
  readonly onDownload?: ((progress: PullProgress) => void) | undefined;
}

declare global {
  /**
   * For scripts that drive the page (tests, scripts/soak.mjs): its session, and a function that creates
   * another with its own worker.
   */
  var heddlePage: { readonly session: Session; readonly createSession: typeof createSession } | undefined;
}

/** Options of a session. */
export interface SessionOptions {
  /**
   * Whether to auto-tune kernels, which takes a few seconds before the first training and much longer on a
   * software adapter. Default: true unless the page's URL has `?tune=0`.
   */
  readonly tune?: boolean;
}

const wantsTuning = () => new URLSearchParams(location.search).get('tune') !== '0';

/** Starts a worker and returns its session, which is also stored in globalThis.heddlePage. */
export function createSession({ tune = wantsTuning() }: SessionOptions = {}): Session {
  // The worker's name carries the option; Vite finds the worker by the literal URL.
  const worker = new Worker(new URL('../worker/training-worker.ts', import.meta.url), {
    type: 'module',
    name: tune ? 'heddle training' : 'heddle training, untuned',
  });
  const pending = new Map<number, Pending>();
  const listeners = new Set<(event: SessionEvent) => void>();
  let calls = 0;
  let closed: CallError | undefined;
  let describing = 0;

  const dispatch = (event: SessionEvent) => {
    for (const listener of listeners) listener(event);
  };
  /** Rejects all pending and later calls. */
  const end = (error: CallError) => {
    closed ??= error;
    for (const { reject } of pending.values()) reject(new SessionError(error));
    pending.clear();
  };
  const send = (request: Request) => worker.postMessage(request);
  const takePending = (id: number): Pending | undefined => {
    const call = pending.get(id);
    pending.delete(id);
    return call;
  };
  worker.onmessage = ({ data }: MessageEvent<Reply>) => {
    if (data.type === 'event') dispatch(data.event);
    else if (data.type === 'piece') pending.get(data.id)?.onPiece?.(data.piece);
    else if (data.type === 'download') pending.get(data.id)?.onDownload?.(data.progress);
    else if (data.type === 'result') takePending(data.id)?.resolve(data.value);
    else takePending(data.id)?.reject(new SessionError(data.error));
  };
  const fail = (message: string) => {
    end({ kind: 'bug', message });
    dispatch({ type: 'state', state: 'failed', model: '', step: 0, steps: 0, text: message });
  };
  worker.onerror = (event) => fail(`The training worker failed: ${event.message || 'it did not load'}`);
  worker.onmessageerror = () => fail('A message of the training worker could not be deserialized.');

  function call<N extends keyof Calls>(
    name: N,
    args: Parameters<Calls[N]>,
    {
      onPiece,
      onDownload,
      signal,
    }: Pick<Pending, 'onPiece' | 'onDownload'> & { signal?: AbortSignal | undefined } = {},
  ): { readonly id: number; readonly result: Promise<ReturnType<Calls[N]>> } {
    const id = ++calls;
    const result = new Promise<ReturnType<Calls[N]>>((resolve, reject) => {
      if (closed) return reject(new SessionError(closed));
      if (signal?.aborted)
        return reject(new SessionError({ kind: 'aborted', message: `${name}: cancelled` }));
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
        onDownload,
      });
      signal?.addEventListener('abort', cancel);
      send({ type: 'call', id, name, args });
    });
    return { id, result };
  }
  const ask = <N extends keyof Calls>(name: N, ...args: Parameters<Calls[N]>) => call(name, args).result;

  /** Requests persistent storage; the browser may refuse. */
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
    singleStep: () => ask('singleStep'),
    continue: () => ask('continue'),
    change: (settings) => ask('change', settings),
    stop: () => ask('stop'),
    translate: (text, options = {}, onPiece, signal) =>
      call('translate', [text, options], { onPiece, signal }).result,
    languages: () => ask('languages'),
    inspect: (text, options = {}) => ask('inspect', text, options),
    storage: () => ask('storage'),
    history: (name) => ask('history', name),
    runs: () => ask('runs'),
    corpusOf: (name) => ask('corpusOf', name),
    load: (name, from, languages) =>
      languages ? ask('load', name, from, languages) : ask('load', name, from),
    save: (name, as) => ask('save', name, as),
    rename: (name, as) => ask('rename', name, as),
    remove: (name) => ask('remove', name),
    exportArchive: (name) => ask('exportArchive', name),
    exportSafetensors: (name) => ask('exportSafetensors', name),
    exportOnnx: (name) => ask('exportOnnx', name),
    importArchive: (data, name) => ask('importArchive', data, name),
    pull(model, onDownload, signal) {
      persist();
      return call('pull', [model, new URL('hub', document.baseURI).href], { onDownload, signal }).result;
    },
    removePartial: (name) => ask('removePartial', name),
    loseDevice: () => ask('loseDevice'),
    memory: () => ask('memory'),
  };
  globalThis.heddlePage ??= { session, createSession };
  return session;
}
