// The translator of the HTML file: opens the model that the file has, on WebGPU or in WebAssembly, and translates line by
// line while somebody types.

import { isSupported } from '../../../api/is-supported.ts';
import { loadModel } from '../../../api/load-model.ts';
import type { Model } from '../../../api/model.ts';
import { memoryFiles } from '../../../files/memory-files.ts';
import { joinFeatures } from '../../../session/feature-table.ts';
import { registerHost } from '../../../session/host.ts';
import { decodeBase85 } from '../base85.ts';
import { wasmEngine } from '../wasm-engine.ts';

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
  about: 'El modelo y su traductor están en este archivo. Nada de lo que escriba sale de esta página.',
};

const isSpanish = navigator.language.startsWith('es');
const words = isSpanish ? spanish : english;
const element = <E extends HTMLElement>(selector: string) => document.querySelector(selector) as E;
const source = element<HTMLTextAreaElement>('#source');
const target = element<HTMLOutputElement>('#target');
const status = element('#status');
const copy = element<HTMLButtonElement>('#copy');
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
  if ((await isSupported()).supported)
    try {
      const model = await openOn('gpu');
      await model.translate('a');
      return { model, isGpu: true };
    } catch (error) {
      console.warn(error); // a GPU without the memory or the features; WebAssembly has no such limits
    }
  return { model: await openOn('wasm'), isGpu: false };
}

/** Translations by their line, the most recent last. */
const known = new Map<string, string>();
let latest = new AbortController();

async function translate({ model, isGpu }: Awaited<ReturnType<typeof open>>): Promise<void> {
  latest.abort();
  latest = new AbortController();
  const { signal } = latest;
  const lines = source.value.split('\n');
  if (source.value.trim() === '') {
    target.value = '';
    copy.disabled = true;
    say(words.ready);
    return;
  }
  say(words.working);
  try {
    const done: string[] = [];
    for (const line of lines) {
      const text = line.trim();
      const found =
        text === ''
          ? ''
          : (known.get(text) ?? (await model.translate(text, { splitSentences: true, signal })));
      signal.throwIfAborted();
      known.set(text, found);
      done.push(found);
      target.value = done.join('\n');
    }
    copy.disabled = false;
    say(isGpu ? words.gpu : words.wasm);
  } catch (error) {
    if (!signal.aborted) say((error as Error).message, true);
  }
}

document.documentElement.lang = isSpanish ? 'es' : 'en';
const languages = facts.source && facts.target ? words.title(nameOf(facts.source), nameOf(facts.target)) : '';
document.title = facts.title || languages || words.untitled;
element('#title').textContent = document.title;
element('label[for="source"]').textContent = facts.source ? nameOf(facts.source) : words.text;
element('label[for="target"]').textContent = facts.target ? nameOf(facts.target) : words.translation;
element('#about').textContent = words.about;
copy.textContent = words.copy;
copy.onclick = async () => {
  await navigator.clipboard.writeText(target.value);
  say(words.copied);
};
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
