// Worker of the page Translate: loads the model, in WebAssembly if there is no GPU, and translates sentence by sentence.

import { msg } from '../../../src/core/message.ts';
import { splitSentences } from '../../../src/entries/data.ts';
import { HeddleError, isSupported, loadModel } from '../../../src/entries/heddle.ts';
import { answerCall, type CallHandlers } from '../../common/worker-calls.ts';
import type { WorkerRequest } from '../../common/worker-client.ts';
import { openWorkerStorage } from '../../storage/worker-storage.ts';
import type { Calls, SentDecoding, TranslatedSentence, WorkerEvent } from '../translate-protocol.ts';
import { inputProblem } from './input-problems.ts';
import { KnownWords } from './known-words.ts';
import { SentenceTranslator } from './sentence-translator.ts';

/** Number of translated sentences that are kept, so that typing translates only what has changed. */
const maxKept = 500;

const opened = openWorkerStorage();
let loading: Promise<{ translator: SentenceTranslator; words: KnownWords; isWasm: boolean }> | undefined;
/** Translated sentences by their text and options, the most recent last. */
const kept = new Map<string, TranslatedSentence>();
let latest = new AbortController();

async function load(url: string, list: string) {
  await opened;
  const [{ supported }, words] = await Promise.all([
    isSupported(),
    fetch(list).then((response) => response.text()),
  ]);
  const known = new KnownWords(words);
  const model = await loadModel(url, { tune: false, device: supported ? 'gpu' : 'wasm' });
  if (!('translate' in model)) throw new HeddleError(msg`The model reads no text.`);
  return { translator: new SentenceTranslator(model, known), words: known, isWasm: !supported };
}

async function loaded() {
  if (!loading) throw new HeddleError(msg`No model is loaded.`);
  return loading;
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

const calls: CallHandlers<Calls> = {
  async load(url, list) {
    loading ??= load(url, list);
    loading.catch(() => {
      loading = undefined;
    });
    return { isWasm: (await loading).isWasm };
  },
  async translate(run, text, options) {
    latest.abort();
    latest = new AbortController();
    const { signal } = latest;
    const { translator, words } = await loaded();
    const { sentences, spaces } = splitSentences(text);
    for (const [index, source] of sentences.entries()) {
      signal.throwIfAborted();
      const sentence = await sentenceOf(translator, source, spaces[index] ?? '', options, signal);
      signal.throwIfAborted();
      self.postMessage({
        type: 'sentence',
        run,
        index,
        of: sentences.length,
        sentence,
      } satisfies WorkerEvent);
      // Between two sentences a newer call may arrive.
      await new Promise((resolve) => setTimeout(resolve));
    }
    return inputProblem(text, words);
  },
  async secondChoice(source, target, word) {
    const { translator } = await loaded();
    return (await translator.secondChoice(source, target, word)) ?? null;
  },
};

self.onmessage = ({ data }: MessageEvent<WorkerRequest<keyof Calls>>) => void answerCall(calls, data);
