// The page's connection to the training worker: turns calls into messages, and messages into results and
// events. Training does not depend on timers of the page.

import type { LiveSettings, Pair } from '../../../src/entries/heddle.ts';
import type { PullProgress } from '../../../src/entries/host.ts';
import type { InspectOptions } from '../../../src/entries/reports.ts';
import { say } from '../../common/page-texts.ts';
import { translatedMessage } from '../../common/translated-message.ts';
import { wantsTuning } from '../../common/wants-tuning.ts';
import { inLanguage } from '../../common/worker-client.ts';
import type { WeightPlace } from '../../toys/hand-training.ts';
import type {
  CallError,
  Calls,
  LoadFrom,
  PieceEvent,
  PreviewCorpus,
  PreviewOptions,
  Reply,
  Request,
  ResumeOptions,
  SentDecodeOptions,
  SentLanguages,
  SessionEvent,
  TakenLesson,
  TrainingSettings,
} from '../protocol.ts';

/** Error of a call: `message` for the visitor, `kind` for code. */
export class SessionError extends Error {
  readonly kind: CallError['kind'];

  constructor({ kind, message, stack }: CallError) {
    super(translatedMessage(message));
    this.name = 'SessionError';
    this.kind = kind;
    if (stack) this.stack = stack;
  }
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: SessionError): void;
  readonly onPiece?: (piece: PieceEvent) => void;
  readonly onDownload?: (progress: PullProgress) => void;
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

/** Starts a worker and returns its session, which is also stored in globalThis.heddlePage. */
export function createSession({ tune = wantsTuning() }: SessionOptions = {}): Session {
  const session = new Session(tune);
  globalThis.heddlePage ??= { session, createSession };
  return session;
}

/** What a call gets besides its arguments. */
interface CallOptions extends Pick<Pending, 'onPiece' | 'onDownload'> {
  readonly signal?: AbortSignal;
}

/** Requests persistent storage; the browser may refuse. */
const persist = () => void navigator.storage?.persist?.().catch(() => false);

/** Trains, and manages the models in the browser, in a worker. All functions reject with a SessionError. */
export class Session {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Set<(event: SessionEvent) => void>();
  /** Number of calls so far: the id of the last one. */
  #calls = 0;
  /** Why the worker can no longer be called. */
  #closed: CallError | undefined;
  /** Id of the last call of `describe`. */
  #describing = 0;

  constructor(tune: boolean) {
    // The worker's name carries the option; Vite finds the worker by the literal URL.
    this.#worker = new Worker(new URL('../worker/training-worker.ts', import.meta.url), {
      type: 'module',
      name: tune ? 'heddle training' : 'heddle training, untuned',
    });
    this.#worker.onmessage = ({ data }: MessageEvent<Reply>) => this.#receive(data);
    this.#worker.onerror = (event) =>
      this.#fail(say`The training worker failed: ${event.message || say`it did not load`}`);
    this.#worker.onmessageerror = () =>
      this.#fail(say`A message of the training worker could not be deserialized.`);
  }

  /** Adds a listener for all events, which arrive in order; returns a function that removes it. */
  on(listener: (event: SessionEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Aborts the call of `describe` that is pending. */
  stopDescribing() {
    if (this.#describing) this.#send({ type: 'cancel', id: this.#describing });
  }

  /** Plans a training without starting it; a later call aborts an earlier one that is pending (`aborted`). */
  describe(settings: TrainingSettings) {
    this.stopDescribing();
    const result = this.#call('describe', [settings]);
    this.#describing = this.#calls;
    return result;
  }

  /**
   * Starts a training; resolves before its first update; events report its progress. Rejects with `locked`,
   * `exists` (the name is taken and `replace` is not true), `memory` (it does not fit) or `user`.
   */
  start(settings: TrainingSettings, { replace = false }: { replace?: boolean } = {}) {
    persist();
    return this.#call('start', [settings, { replace }]);
  }

  /**
   * Resumes from the last checkpoint of a model with its own settings, optionally for more steps or epochs in
   * total, or with other batches.
   */
  resume(name: string, options: ResumeOptions = {}) {
    persist();
    return this.#call('resume', [name, options]);
  }

  /**
   * Finishes the step, saves a checkpoint and pauses. Resolves when the training is paused; translating
   * remains possible.
   */
  pause() {
    return this.#call('pause', []);
  }

  /**
   * Does one update of a paused training and saves a checkpoint. Resolves after its events, when the training
   * is paused again or has ended.
   */
  singleStep() {
    return this.#call('singleStep', []);
  }

  /** Continues after `pause`. */
  continue() {
    return this.#call('continue', []);
  }

  /** Rests after each update of the running training, for a multiple of its duration; 0: never. */
  rest(times: number) {
    return this.#call('rest', [times]);
  }

  /** Saves a checkpoint of the running training after its update, if there is one. */
  saveNow() {
    return this.#call('saveNow', []);
  }

  /**
   * Changes settings of a running training from its next update on; an event `change` reports it. Rejects
   * with `user` if a value is not allowed.
   */
  change(settings: LiveSettings) {
    return this.#call('change', [settings]);
  }

  /** Finishes the step, saves a checkpoint and ends the training. Resolves when it has ended. */
  stop() {
    return this.#call('stop', []);
  }

  /**
   * Translates with the current model: the one that is training, between two steps, else the one that was
   * trained or loaded last. Tokens are streamed to `onPiece`. Rejects with `user` if there is no model or an
   * option is invalid, `aborted` by the signal.
   */
  translate(
    text: string,
    options: SentDecodeOptions = {},
    onPiece?: (piece: PieceEvent) => void,
    signal?: AbortSignal,
  ) {
    return this.#call('translate', [text, options], { onPiece, signal });
  }

  /**
   * The languages of the current model; undefined if it has none. Rejects with `user` if there is no model.
   */
  languages() {
    return this.#call('languages', []);
  }

  /**
   * Log-probabilities of the tokens of each target with the current model; undefined for a pair that is too long or
   * has an empty side. Rejects with `user` if no pair fits the model.
   */
  score(pairs: readonly Pair[], languages: SentLanguages = {}) {
    return this.#call('score', [pairs, languages]);
  }

  /** Computes a text and a target with the current model: attention, next tokens, tensors. */
  inspect(text: string, options: InspectOptions = {}) {
    return this.#call('inspect', [text, options]);
  }

  /** Batches of pairs of the built-in corpus, with the tokenizers of the current model. */
  previewBatches(corpus: PreviewCorpus, options: PreviewOptions) {
    return this.#call('previewBatches', [corpus, options]);
  }

  /** The tokens whose embeddings are nearest to that of a source token of the current model. */
  neighbours(id: number, count: number) {
    return this.#call('neighbours', [id, count]);
  }

  /** Starts a training of one pair by hand, on a copy of the current model's weights; replaces the one before. */
  startByHand(pair: Pair) {
    return this.#call('startByHand', [pair]);
  }

  /** Does an update of it at a learning rate, and reports what it did to the weight at `place`. */
  updateByHand(place: WeightPlace, rate: number, warmupSteps: number) {
    return this.#call('updateByHand', [place, rate, warmupSteps]);
  }

  /**
   * Teaches the model at a URL some pairs, and loads the result; `onShare` gets the share that is done. Rejects with
   * `user` while a training runs.
   */
  teachSecret(url: string, pairs: readonly Pair[], onShare: (share: number) => void) {
    return this.#call('teachSecret', [url, pairs], { onPiece: ({ text }) => onShare(Number(text)) });
  }

  /** Models in the browser, the most recent first, and storage use. */
  storage() {
    return this.#call('storage', []);
  }

  /** Settings, curves and samples of a stored model. */
  history(name: string) {
    return this.#call('history', [name]);
  }

  /** Summaries of all stored runs; `folder` is the name of the model. */
  runs() {
    return this.#call('runs', []);
  }

  /**
   * Scores of stored models on the pairs of a file, compared with the first. Rejects with `user` during a training, and
   * if the file has no pairs.
   */
  evaluate(names: readonly string[], pairs: Blob) {
    return this.#call('evaluate', [names, pairs]);
  }

  /** The training pairs of a model that was trained on a file or text; rejects if they are not stored. */
  corpusOf(name: string) {
    return this.#call('corpusOf', [name]);
  }

  /**
   * Loads a model to translate with: from the browser or from a URL (`from`); a multilingual model with its
   * languages. Rejects while a training runs.
   */
  load(name: string, from?: LoadFrom, languages?: SentLanguages) {
    return this.#call('load', languages ? [name, from, languages] : [name, from]);
  }

  /** Copies a model under another name; a model that is training is saved first. */
  save(name: string, as: string) {
    return this.#call('save', [name, as]);
  }

  /** Renames a model, which stays loaded; rejects with `locked` while a tab trains it. */
  rename(name: string, as: string) {
    return this.#call('rename', [name, as]);
  }

  /** Deletes a model; rejects with `locked` while a tab trains it. */
  remove(name: string) {
    return this.#call('remove', [name]);
  }

  /** Exports a model with its checkpoint as a zip archive, which the `heddle` command reads. */
  exportArchive(name: string) {
    return this.#call('exportArchive', [name]);
  }

  /**
   * Exports a model without its checkpoint as safetensors with PyTorch's names, which the `heddle` command
   * reads.
   */
  exportSafetensors(name: string) {
    return this.#call('exportSafetensors', [name]);
  }

  /**
   * Returns an archive with a program of heddle and one of PyTorch: of a stored model with its settings, or of the
   * loaded one with a batch and settings.
   */
  takeAway(name: string, lesson?: TakenLesson) {
    return this.#call('takeAway', [name, lesson]);
  }

  /**
   * Exports a model without its checkpoint for transformers.js, as a zip archive of ONNX files with int8
   * weights.
   */
  exportOnnx(name: string) {
    return this.#call('exportOnnx', [name]);
  }

  /** Exports a model with its translator as one HTML file. */
  exportHtml(name: string) {
    return this.#call('exportHtml', [name]);
  }

  /**
   * The files that Firefox downloads, by name: int8 matrices, vocabularies and the shortlist if there is one. Rejects
   * for models that Firefox's engine does not run.
   */
  firefoxFiles(name: string) {
    return this.#call('firefoxFiles', [name]);
  }

  /**
   * Imports a zip archive or safetensors file (by the extension of `name`), or the files of a folder; resolves
   * to the name of the model, numbered if taken.
   */
  importArchive(data: Blob | readonly File[], name: string) {
    return this.#call('importArchive', [data, name]);
  }

  /** Imports a model that a visitor selects or drops: a file, or the files of its folder. */
  importFiles(files: readonly File[]) {
    const [file] = files as [File];
    return files.length === 1
      ? this.importArchive(file, file.name)
      : this.importArchive(files, nameOf(files));
  }

  /**
   * Downloads `OWNER/NAME` or `OWNER/NAME@REVISION` from the hub: through the proxy `hub/` of the page's
   * server, or directly if it has none; resolves to the name of the model in the browser. Rejects with
   * `exists` if the name is taken, `aborted` by the signal. The next call continues an incomplete download.
   */
  pull(model: string, onDownload?: (progress: PullProgress) => void, signal?: AbortSignal) {
    persist();
    return this.#call('pull', [model, new URL('hub', document.baseURI).href], { onDownload, signal });
  }

  /** Deletes an incomplete download. */
  removePartial(name: string) {
    return this.#call('removePartial', [name]);
  }

  /** For tests and scripts/soak.mjs: destroys the device; counts GPU buffers. */
  loseDevice() {
    return this.#call('loseDevice', []);
  }

  memory() {
    return this.#call('memory', []);
  }

  #send(request: Request): void {
    this.#worker.postMessage(request);
  }
  #call<N extends keyof Calls>(
    name: N,
    args: Parameters<Calls[N]>,
    { onPiece, onDownload, signal }: CallOptions = {},
  ): Promise<ReturnType<Calls[N]>> {
    const id = ++this.#calls;
    return new Promise<ReturnType<Calls[N]>>((resolve, reject) => {
      if (this.#closed) return reject(new SessionError(this.#closed));
      if (signal?.aborted)
        return reject(new SessionError({ kind: 'aborted', message: say`${name}: cancelled` }));
      const cancel = () => this.#send({ type: 'cancel', id });
      const done = () => signal?.removeEventListener('abort', cancel);
      this.#pending.set(id, {
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
      this.#send({ type: 'call', id, name, args });
    });
  }

  #receive(reply: Reply): void {
    if (reply.type === 'event') this.#dispatch(inLanguage<SessionEvent>(reply.event));
    else if (reply.type === 'piece') this.#pending.get(reply.id)?.onPiece?.(reply.piece);
    else if (reply.type === 'download') this.#pending.get(reply.id)?.onDownload?.(reply.progress);
    else {
      const call = this.#pending.get(reply.id);
      this.#pending.delete(reply.id);
      if (reply.type === 'result') call?.resolve(reply.value);
      else call?.reject(new SessionError(reply.error));
    }
  }

  #dispatch(event: SessionEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** The worker is gone: rejects all pending and later calls. */
  #fail(message: string): void {
    const error: CallError = { kind: 'bug', message };
    this.#closed ??= error;
    for (const { reject } of this.#pending.values()) reject(new SessionError(error));
    this.#pending.clear();
    this.#dispatch({ type: 'state', state: 'failed', model: '', step: 0, steps: 0, text: message });
  }
}

/** The name of a model from its files: `enes` of `model.enes.intgemm.alphas.bin`, as Firefox names them. */
const nameOf = (files: readonly File[]): string =>
  files.flatMap(({ name }) => /^model\.([a-z]{4,8})\./.exec(name)?.[1] ?? [])[0] ?? 'model';
