// Worker of the page Translate: translates sentence by sentence; at first in WebAssembly, which answers at once and on any
// device, then on the GPU, if there is one, when its kernels are compiled.

import { loadModel } from '../../../src/api/load-model.ts';
import { msg } from '../../../src/core/message.ts';
import type { DoubtLimits } from '../../../src/decode/word-weights.ts';
import { wasmEngine } from '../../../src/engine/wasm-engine.ts';
import { splitSentences } from '../../../src/entries/data.ts';
import { HeddleError, isSupported, type Model } from '../../../src/entries/heddle.ts';
import { joinFeatures } from '../../../src/session/feature-table.ts';
import { answerCall, type CallHandlers } from '../../common/worker-calls.ts';
import type { WorkerRequest } from '../../common/worker-client.ts';
import { openWorkerStorage } from '../../storage/worker-storage.ts';
import type {
  Calls,
  SentDecoding,
  TranslatedSentence,
  TranslatedText,
  WorkerEvent,
} from '../translate-protocol.ts';
import { loadFirstCode } from './first-code.ts';
import { inputProblem } from './input-problems.ts';
import { KnownWords } from './known-words.ts';
import { SentenceTranslator } from './sentence-translator.ts';

/** Number of translated sentences that are kept, so that typing translates only what has changed. */
const maxKept = 500;

/** A text that is translated once on the GPU, so that its kernels are compiled. */
const warmUp = 'I love you.';

const features = joinFeatures([{ engines: { wasm: async () => wasmEngine() } }]);
const opened = openWorkerStorage();

/** What translates. */
interface Loaded {
  readonly words: KnownWords;
  readonly model: Model;
  readonly translator: SentenceTranslator;
  readonly isWasm: boolean;
}
let words: Promise<KnownWords> | undefined;
/** The model that answers. */
let current: Loaded | undefined;
/** Translated sentences by their text and options, the most recent last. */
const kept = new Map<string, TranslatedSentence>();
let latest = new AbortController();
/** Settles when all calls that began until now have ended. */
let running: Promise<unknown> = Promise.resolve();

const post = (event: WorkerEvent): void => self.postMessage(event);

async function load(file: File, limits?: DoubtLimits): Promise<Loaded> {
  await opened;
  const [known, model] = await Promise.all([words, loadModel(file, { device: 'wasm' }, features)]);
  if (!known) throw new HeddleError(msg`No model is loaded.`);
  return { words: known, model, translator: new SentenceTranslator(model, known, limits), isWasm: true };
}

/** Goes on on the GPU, if there is one, once it has translated a sentence. */
async function useGpu(file: File, { words }: Loaded, limits?: DoubtLimits): Promise<void> {
  const { supported, isSoftware } = await isSupported();
  if (!supported || isSoftware) return;
  const model = await loadModel(file, { tune: false }, features);
  await model.generate(warmUp, { attention: true });
  replace({ words, model, translator: new SentenceTranslator(model, words, limits), isWasm: false });
}

/** Translates with another model; the one before is released when the calls that use it have ended. */
function replace(next: Loaded): void {
  const before = current?.model;
  current = next;
  kept.clear();
  void running.then(() => before?.dispose());
}

/** Adds a call to `running`. */
function tracked<T>(call: Promise<T>): Promise<T> {
  running = Promise.allSettled([running, call]);
  return call;
}

function loaded(): Loaded {
  if (!current) throw new HeddleError(msg`No model is loaded.`);
  return current;
}

async function sentenceOf(
  translator: SentenceTranslator,
  source: string,
  space: string,
  options: SentDecoding,
  signal: AbortSignal,
): Promise<TranslatedSentence> {
  const key = JSON.stringify([source, options]);
  const known = kept.get(key);
  const sentence = known ?? (await translator.translate(source, space, options, signal));
  kept.delete(key);
  kept.set(key, sentence);
  for (const old of kept.keys()) {
    if (kept.size <= maxKept) break;
    kept.delete(old);
  }
  return { ...sentence, space };
}

/** Translates a text sentence by sentence. */
async function translate(
  run: number,
  text: string,
  options: SentDecoding,
  signal: AbortSignal,
): Promise<TranslatedText> {
  const { translator, words, isWasm } = loaded();
  const { sentences, spaces } = splitSentences(text);
  for (const [index, source] of sentences.entries()) {
    signal.throwIfAborted();
    const sentence = await sentenceOf(translator, source, spaces[index] ?? '', options, signal);
    signal.throwIfAborted();
    post({ type: 'sentence', run, index, of: sentences.length, sentence });
    // Between two sentences a newer call may arrive.
    await new Promise((resolve) => setTimeout(resolve));
  }
  return { problem: await inputProblem(text, words), isWasm };
}

async function secondChoice(source: string, target: string, word: number): Promise<string | null> {
  return (await loaded().translator.secondChoice(source, target, word)) ?? null;
}

const calls: CallHandlers<Calls> = {
  async readWords(url) {
    words ??= fetch(url).then(async (response) => new KnownWords(await response.text()));
    await words;
  },
  async load(file, limits, isLast) {
    const next = await load(file, limits);
    replace(next);
    if (isLast)
      useGpu(file, next, limits).catch((error) => console.warn('the page stays in WebAssembly:', error));
  },
  translate(run, text, options) {
    latest.abort();
    latest = new AbortController();
    return tracked(translate(run, text, options, latest.signal));
  },
  secondChoice: (source, target, word) => tracked(secondChoice(source, target, word)),
};

loadFirstCode();
self.onmessage = ({ data }: MessageEvent<WorkerRequest<keyof Calls>>) => void answerCall(calls, data);
