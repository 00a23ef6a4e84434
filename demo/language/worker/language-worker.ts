// Worker of the page of a language: handles the calls of language-protocol.ts. A Web Lock keeps a second tab from
// writing the same language.

import { msg } from '../../../src/core/message.ts';
import { intlCorpus } from '../../../src/entries/data.ts';
import { HeddleError, loadModel } from '../../../src/entries/heddle.ts';
import { type BrowserFiles, importModel, zipParts } from '../../../src/entries/host.ts';
import { features } from '../../../src/features/features.ts';
import {
  LanguageFlow,
  type LanguageState,
  type LanguageStepName,
  languageConfigFile,
} from '../../../src/features/language/language-flow.ts';
import { answerCall, type CallHandlers } from '../../common/worker-calls.ts';
import { withModelLock } from '../../storage/model-locks.ts';
import { ModelStore, modelFolder } from '../../storage/model-store.ts';
import { holdLock, openWorkerStorage } from '../../storage/worker-storage.ts';
import type { Calls, Reply, Request } from '../language-protocol.ts';
import { StepProgress } from './step-progress.ts';

/** Folder of the language in the browser's files. */
const folder = 'language';

/** Number of built-in pairs. */
const builtInPairs = 4000;

const opened = (async () => {
  const files = await openWorkerStorage();
  await holdLock('heddle language', msg`Another tab makes a language; close it, then reload this page.`);
  return files;
})();
opened.catch(() => undefined); // every call reports the error

let running: AbortController | undefined;

/** The language. */
async function stateOf(): Promise<LanguageState> {
  await opened;
  const flow = await LanguageFlow.open(folder, { features });
  if (!flow) throw new HeddleError(msg`There is no language.`);
  return flow.state;
}

async function run(tune: boolean): Promise<LanguageState> {
  running = new AbortController();
  let [step, state]: [LanguageStepName | undefined, LanguageState | undefined] = [undefined, undefined];
  const progress = new StepProgress((text, share) => {
    if (step && state) self.postMessage({ type: 'progress', step, text, share, state } satisfies Reply);
  });
  await opened;
  const { signal } = running;
  const flow = await LanguageFlow.open(folder, {
    features,
    tune,
    signal,
    onEvent: (event) => progress.take(event),
  });
  if (!flow) throw new HeddleError(msg`There is no language.`);
  try {
    return await flow.run((name) => {
      [step, state] = [name, flow.state];
      progress.begin();
    });
  } catch (error) {
    // However a step reports its stop, the page asked for it.
    signal.throwIfAborted();
    throw error;
  } finally {
    running = undefined;
    await flow.close();
  }
}

/** The files for Firefox, without those of heddle. */
async function firefoxFiles(files: BrowserFiles): Promise<Record<string, Uint8Array>> {
  const names = Object.keys((await stateOf()).files);
  const bytes = await Promise.all(names.map((name) => files.read(`${folder}/firefox/${name}`)));
  return Object.fromEntries(names.map((name, i) => [name, bytes[i] as Uint8Array]));
}

/** The model of these files. */
const firefoxModel = async (files: BrowserFiles): Promise<File[]> =>
  Object.entries(await firefoxFiles(files)).map(([name, bytes]) => new File([bytes as BlobPart], name));

/** Dates, amounts and names in both languages as TSV. */
function builtIn(source: string, target: string): Uint8Array {
  const pairs = intlCorpus({ pairs: builtInPairs, source, target });
  return new TextEncoder().encode(pairs.map((pair) => `${pair.source}\t${pair.target}\n`).join(''));
}

const calls: CallHandlers<Calls> = {
  async open() {
    const files = await opened;
    return (await files.exists(`${folder}/language.json`)) ? stateOf() : null;
  },
  async create({ pairs, plan }) {
    const files = await opened;
    await files.remove(folder);
    const [source, target] = plan.languages;
    const ending = /\.[A-Za-z0-9]+(?:\.gz)?$/.exec(pairs?.name ?? '')?.[0] ?? '.tsv';
    const bytes = pairs ? new Uint8Array(await pairs.arrayBuffer()) : builtIn(source, target);
    await files.write(`${folder}/pairs${ending.toLowerCase()}`, bytes);
    return LanguageFlow.create(files, folder, plan);
  },
  run,
  async stop() {
    running?.abort();
  },
  files: async () => firefoxFiles(await opened),
  async archive(what) {
    const files = await opened;
    const parts =
      what === 'firefox'
        ? await firefoxFiles(files)
        : {
            'language.json': new TextEncoder().encode(languageConfigFile((await stateOf()).plan)),
            'pairs.tsv': await files.read(`${folder}/clean.tsv`),
            'dev.tsv': await files.read(`${folder}/dev.tsv`),
          };
    return new Blob(zipParts(parts) as BlobPart[], { type: 'application/zip' });
  },
  async keep() {
    const files = await opened;
    const pair = (await stateOf()).plan.languages.join('-');
    const store = new ModelStore(files, files);
    let name = `${pair} for Firefox`;
    for (let n = 2; await store.exists(name); n++) name = `${pair} for Firefox ${n}`;
    const given = await firefoxModel(files);
    await withModelLock(name, () => importModel(given, modelFolder(name), { files }));
    return name;
  },
  async translate(text) {
    const files = await opened;
    const model = await loadModel(await firefoxModel(files), { tune: false });
    try {
      const begin = performance.now();
      const translation = await model.translate(text, { maxLengthFactor: 2 });
      return { translation, milliseconds: performance.now() - begin };
    } finally {
      model.dispose();
    }
  },
  async discard() {
    running?.abort();
    await (await opened).remove(folder);
  },
};

self.onmessage = ({ data }: MessageEvent<Request>) => void answerCall(calls, data);
