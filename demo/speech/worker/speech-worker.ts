// Worker of the page of speech: handles the calls of speech-protocol.ts with one model at a time.

import { type Message, msg } from '../../../src/core/message.ts';
import { HeddleError, isSupported } from '../../../src/entries/heddle.ts';
import { type BrowserFiles, importModel, memoryFiles, readModelFacts } from '../../../src/entries/host.ts';
import { loadSpeechModel, type SpeechModel } from '../../../src/entries/speech.ts';
import { answerCall, type CallHandlers } from '../../common/worker-calls.ts';
import { pullToBrowser } from '../../storage/browser-pull.ts';
import { withModelLock } from '../../storage/model-locks.ts';
import { toModelName } from '../../storage/model-names.ts';
import { ModelStore, modelFolder } from '../../storage/model-store.ts';
import { openWorkerStorage } from '../../storage/worker-storage.ts';
import type { Calls, LoadedView, ModelChoice, Reply, Request } from '../speech-protocol.ts';
import { hearFile, hearStream, recordStream } from './hear.ts';
import { Recordings } from './recordings.ts';
import { SampleQueue } from './sample-queue.ts';

const post = (reply: Reply): void => self.postMessage(reply);
const status = (text: Message | string): void => post({ type: 'status', text });

const opened = (async () => {
  const files = await openWorkerStorage();
  return { files, store: new ModelStore(files, memoryFiles()), recordings: new Recordings(files) };
})();
opened.catch(() => undefined); // every call reports the error

/** The model in use, and the number of adapters that it has loaded. */
let current:
  | { readonly name: string; readonly model: SpeechModel; adapters: number; hasLearned: boolean }
  | undefined;
/** Samples of the microphone. */
let queue = new SampleQueue();

function model(): SpeechModel {
  if (!current) throw new HeddleError(msg`Select a model first.`);
  return current.model;
}

/** Name of the adapter of a model, which is its folder in the storage. */
const adapterOf = (name: string): string => `learned ${toModelName(name)}`.slice(0, 60);

const view = (): LoadedView => {
  const { name = '', hasLearned = false } = current ?? {};
  const { parameterCount, languages } = model();
  return { name, parameters: parameterCount, languages, hasLearned };
};

/** Whether a stored model reads speech. */
async function readsSpeech(files: BrowserFiles, name: string): Promise<boolean> {
  try {
    const { config } = await readModelFacts(modelFolder(name), { files });
    return config.source === 'frames' && config.stem === 'conv';
  } catch {
    return false; // an adapter, or a model that cannot be read
  }
}

async function useAdapter(): Promise<void> {
  if (!current) return;
  const name = `learned ${++current.adapters}`;
  await current.model.addLora(name, adapterOf(current.name));
  current.model.useLora(name);
  current.hasLearned = true;
}

async function load({ name, url }: ModelChoice, files: BrowserFiles): Promise<void> {
  current?.model.dispose();
  current = undefined;
  const { supported } = await isSupported();
  const loaded = await loadSpeechModel(url ?? name, { tune: false, device: supported ? 'gpu' : 'wasm' });
  current = { name, model: loaded, adapters: 0, hasLearned: false };
  if (await files.exists(`${modelFolder(adapterOf(name))}/adapter_config.json`))
    await useAdapter().catch(() => status(msg`What the model learned before does not fit it any more.`));
}

const calls: CallHandlers<Calls> = {
  async models() {
    const { files } = await opened;
    const names = (await files.exists('models')) ? await files.list('models') : [];
    const speech = await Promise.all(names.map((name) => readsSpeech(files, name)));
    return names.filter((_, i) => speech[i]).sort();
  },
  async use(choice) {
    await load(choice, (await opened).files);
    return view();
  },
  async store(given) {
    const { files, store } = await opened;
    const [first] = given;
    if (!first) throw new HeddleError(msg`There is no file.`);
    const stem = toModelName(given.length === 1 ? first.name.replace(/\.\w+$/, '') : 'speech model');
    let name = stem;
    for (let n = 2; await store.exists(name); n++) name = `${stem} ${n}`;
    await withModelLock(name, () =>
      importModel(given.length === 1 ? first : given, modelFolder(name), { files }),
    );
    if (await readsSpeech(files, name)) return name;
    await store.remove(name);
    throw new HeddleError(msg`${first.name}: this model reads text, not speech; use it on the page Train.`);
  },
  async pull(name, hub) {
    const { files, store } = await opened;
    return pullToBrowser(files, store, {}, name, hub, ({ loaded, total }) =>
      status(msg`Downloading ${name}: ${Math.floor((100 * loaded) / Math.max(1, total ?? loaded))} %`),
    );
  },
  read: async (sound, language) => hearFile(model(), sound, language, post),
  listen: async (rate, language) => hearStream(model(), { rate, pieces: queue }, language, post),
  recordings: async () => (await opened).recordings.list(),
  async record(text, from) {
    const { recordings } = await opened;
    const wav =
      typeof from === 'number'
        ? await recordStream({ rate: from, pieces: queue }, post)
        : new Uint8Array(await from.arrayBuffer());
    await recordings.add(text, wav);
    return recordings.list();
  },
  sound: async (file) =>
    new Blob([(await (await opened).recordings.sound(file)) as BlobPart], { type: 'audio/wav' }),
  async remove(file) {
    const { recordings } = await opened;
    await recordings.remove(file);
    return recordings.list();
  },
  archive: async () => (await opened).recordings.archive(),
  async teach() {
    const { recordings } = await opened;
    const { teachRecordings } = await import('./teach.ts');
    const clips = await Promise.all(
      (await recordings.list()).map(async ({ file, text }) => ({
        audio: await recordings.sound(file),
        text,
      })),
    );
    model().useLora(null);
    try {
      const report = await teachRecordings(model(), clips, adapterOf(current?.name ?? ''), status);
      await useAdapter();
      return report;
    } finally {
      status('');
    }
  },
  async forget() {
    const { files } = await opened;
    model().useLora(null);
    if (current) {
      await files.remove(modelFolder(adapterOf(current.name)));
      current.hasLearned = false;
    }
    return view();
  },
};

self.onmessage = ({ data }: MessageEvent<Request>) => {
  if ('id' in data) void answerCall(calls, data);
  else if (data.name === 'piece') queue.push(data.samples);
  else if (data.name === 'begin') queue = new SampleQueue();
  else queue.end();
};
