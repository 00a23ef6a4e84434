// The translator of the HTML file: opens the model that the file has, on WebGPU or in WebAssembly, and translates sentence
// by sentence while somebody types, with the words that the model is not sure of and the threads of attention.

import { isSupported } from '../../../api/is-supported.ts';
import { loadModel } from '../../../api/load-model.ts';
import type { Model } from '../../../api/model.ts';
import { type Doubt, doubtsOf, wordRanges, wordWeights } from '../../../decode/word-weights.ts';
import { wasmEngine } from '../../../engine/wasm-engine.ts';
import { memoryFiles } from '../../../files/memory-files.ts';
import { joinFeatures } from '../../../session/feature-table.ts';
import { registerHost } from '../../../session/host.ts';
import { splitSentences } from '../../../text/sentences.ts';
import { decodeBase85 } from '../base85.ts';
import { ThreadDrawing, type Threads } from './thread-drawing.ts';

/** What the file says of its model. */
interface Facts {
  readonly title: string;
  /** BCP 47 tags; empty if unknown. */
  readonly source: string;
  readonly target: string;
  /** Name and length of each file of the model, in order. */
  readonly files: readonly (readonly [name: string, bytes: number])[];
  /** Length of the compressed files. */
  readonly bytes: number;
}

const english = {
  title: (source: string, target: string) => `From ${source} into ${target}`,
  untitled: 'A translator in one file',
  text: 'Text',
  translation: 'Translation',
  opening: 'The model is being unpacked …',
  ready: 'Type something.',
  working: 'Translating …',
  gpu: 'Translated on the GPU.',
  wasm: 'Translated in WebAssembly.',
  copy: 'Copy the translation',
  copied: 'Copied.',
  sourceWords: 'Words of the sentence',
  targetWords: 'Words of the translation',
  looksAt: (word: string, others: string) => `“${word}” looks at ${others}`,
  isLookedAt: (word: string, others: string) => `“${word}” is looked at by ${others}`,
  unsure: (percent: string) => `The model is not sure of this word: ${percent}.`,
  unsureOf: (words: string) => `The model is not sure of ${words}.`,
  about: 'The model and its translator are in this file. Nothing that you type leaves this page.',
};
const spanish: typeof english = {
  title: (source, target) => `Del ${source} al ${target}`,
  untitled: 'Un traductor en un solo archivo',
  text: 'Texto',
  translation: 'Traducción',
  opening: 'Se desempaqueta el modelo …',
  ready: 'Escriba algo.',
  working: 'Traduciendo …',
  gpu: 'Traducido en la GPU.',
  wasm: 'Traducido en WebAssembly.',
  copy: 'Copiar la traducción',
  copied: 'Copiada.',
  sourceWords: 'Palabras de la frase',
  targetWords: 'Palabras de la traducción',
  looksAt: (word, others) => `“${word}” mira a ${others}`,
  isLookedAt: (word, others) => `“${word}” es mirada por ${others}`,
  unsure: (percent) => `El modelo no está seguro de esta palabra: ${percent}.`,
  unsureOf: (unsure) => `El modelo no está seguro de ${unsure}.`,
  about: 'El modelo y su traductor están en este archivo. Nada de lo que escriba sale de esta página.',
};

const isSpanish = navigator.language.startsWith('es');
const words = isSpanish ? spanish : english;
const element = <E extends HTMLElement>(selector: string) => document.querySelector(selector) as E;
const source = element<HTMLTextAreaElement>('#source');
const target = element<HTMLOutputElement>('#target');
const status = element('#status');
const copy = element<HTMLButtonElement>('#copy');
const doubt = element('#doubt');
const threads = new ThreadDrawing(
  element('#threads'),
  { source: words.sourceWords, target: words.targetWords },
  (side, word, others) => (side === 'target' ? words.looksAt(word, others) : words.isLookedAt(word, others)),
);
const facts = JSON.parse(element('#facts').textContent ?? '') as Facts;

function say(text: string, isWrong = false): void {
  status.textContent = text;
  status.toggleAttribute('data-wrong', isWrong);
}

/** The name of a language in the page's language. */
const nameOf = (tag: string) =>
  new Intl.DisplayNames(isSpanish ? 'es' : 'en', { type: 'language' }).of(tag.replace('_', '-')) ?? tag;

async function unpack(): Promise<Map<string, Uint8Array>> {
  const packed = decodeBase85(element<HTMLScriptElement>('#model').text, facts.bytes);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let at = 0;
  const files = facts.files.map(([name, length]) => {
    at += length;
    return [`model/${name}`, bytes.subarray(at - length, at)] as const;
  });
  return new Map(files);
}

/** The model, and whether it runs on the GPU. */
async function open(): Promise<{ model: Model; isGpu: boolean }> {
  registerHost({ files: memoryFiles(await unpack()), modelPath: (name) => name, cachePath: (name) => name });
  const features = joinFeatures([{ engines: { wasm: async () => wasmEngine() } }]);
  const openOn = (device: 'gpu' | 'wasm') => loadModel('model', { device, tune: false }, features);
  const { supported, isSoftware } = await isSupported();
  if (supported && !isSoftware)
    try {
      const model = await openOn('gpu');
      await model.translate('a');
      return { model, isGpu: true };
    } catch (error) {
      console.warn(error); // a GPU without the memory or the features; WebAssembly has no such limits
    }
  return { model: await openOn('wasm'), isGpu: false };
}

/** A sentence with its translation. */
interface Translated extends Threads {
  readonly text: string;
  readonly doubts: readonly Doubt[];
}

/** Translations by their sentence. */
const known = new Map<string, Translated>();
let latest = new AbortController();

async function translated(model: Model, sentence: string, signal: AbortSignal): Promise<Translated> {
  const [found] = await model.generate(sentence, { attention: true, longTexts: 'crop', signal });
  const text = found?.text ?? '';
  const wordsOf = (all: string) => wordRanges(all).map(({ start, end }) => all.slice(start, end));
  return {
    text,
    source: wordsOf(sentence),
    target: wordsOf(text),
    weights: found?.attention ? wordWeights(found.attention, sentence, text) : [],
    doubts: found ? doubtsOf(found) : [],
  };
}

/** A translation with its doubtful words marked; a button if there are several. */
function marked(sentence: Translated, isOne: boolean): HTMLElement {
  const place = document.createElement(isOne ? 'span' : 'button');
  place.className = 'sentence';
  const ranges = wordRanges(sentence.text);
  let at = 0;
  for (const { word, probability } of [...sentence.doubts].sort((a, b) => a.word - b.word)) {
    const { start = at, end = at } = ranges[word] ?? {};
    const mark = document.createElement('u');
    mark.textContent = sentence.text.slice(start, end);
    mark.title = words.unsure(`${Math.round(100 * probability)} %`);
    place.append(sentence.text.slice(at, start), mark);
    at = end;
  }
  place.append(sentence.text.slice(at));
  place.onclick = () => choose(sentence, place);
  return place;
}

/** Shows the threads and doubts of a sentence. */
function choose(sentence: Translated | undefined, place?: HTMLElement): void {
  for (const each of target.querySelectorAll('button')) each.ariaPressed = String(each === place);
  threads.show(sentence ?? { source: [], target: [], weights: [] });
  const unsure = (sentence?.doubts ?? []).map(({ word }) => `“${sentence?.target[word] ?? ''}”`);
  doubt.textContent = unsure.length > 0 ? words.unsureOf(unsure.join(', ')) : '';
}

async function translate({ model, isGpu }: Awaited<ReturnType<typeof open>>): Promise<void> {
  latest.abort();
  latest = new AbortController();
  const { signal } = latest;
  const { sentences, spaces } = splitSentences(source.value);
  if (sentences.length === 0) {
    target.value = '';
    choose(undefined);
    copy.disabled = true;
    say(words.ready);
    return;
  }
  say(words.working);
  try {
    for (const [i, sentence] of sentences.entries()) {
      const found = known.get(sentence) ?? (await translated(model, sentence, signal));
      signal.throwIfAborted();
      known.set(sentence, found);
      const place = marked(found, sentences.length === 1);
      if (i === 0) target.replaceChildren();
      target.append(place, spaces[i] ?? '');
      if (i === 0) choose(found, place);
    }
    copy.disabled = false;
    say(isGpu ? words.gpu : words.wasm);
  } catch (error) {
    if (!signal.aborted) say((error as Error).message, true);
  }
}

/** Copies the translation; where a file has no clipboard, by the selection. */
async function copyTranslation(): Promise<void> {
  try {
    await navigator.clipboard.writeText(target.value);
  } catch {
    getSelection()?.selectAllChildren(target);
    document.execCommand('copy');
  }
  say(words.copied);
}

document.documentElement.lang = isSpanish ? 'es' : 'en';
const languages = facts.source && facts.target ? words.title(nameOf(facts.source), nameOf(facts.target)) : '';
document.title = facts.title || languages || words.untitled;
element('#title').textContent = document.title;
element('label[for="source"]').textContent = facts.source ? nameOf(facts.source) : words.text;
element('label[for="target"]').textContent = facts.target ? nameOf(facts.target) : words.translation;
element('#about').textContent = words.about;
copy.textContent = words.copy;
copy.onclick = () => void copyTranslation();
say(words.opening);
try {
  const opened = await open();
  let timer: ReturnType<typeof setTimeout> | undefined;
  source.oninput = () => {
    clearTimeout(timer);
    timer = setTimeout(() => void translate(opened), 150);
  };
  await translate(opened);
} catch (error) {
  say((error as Error).message, true);
}
