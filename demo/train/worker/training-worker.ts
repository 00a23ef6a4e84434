// Worker of the training page: handles the calls of protocol.ts. It has at most one training and one loaded
// model.

import { msg } from '../../../src/core/message.ts';
import type { CorpusArguments } from '../../../src/entries/data.ts';
import { HeddleError, type JobEvent, type TrainOptions } from '../../../src/entries/heddle.ts';
import {
  type BrowserFiles,
  type Files,
  fewerLaunches,
  memoryFiles,
  type PullProgress,
  registerHost,
} from '../../../src/entries/host.ts';
import type { Sent } from '../../common/worker-client.ts';
import { pullToBrowser } from '../../storage/browser-pull.ts';
import { lockModel } from '../../storage/model-locks.ts';
import { checkModelName, ExistsError, ModelStore, modelFolder } from '../../storage/model-store.ts';
import { openFiles } from '../../storage/open-files.ts';
import { checkpointCode, storedCheckpoint } from '../../storage/stored-checkpoint.ts';
import { type AnyModel, trainGuests } from '../guests/train-guests.ts';
import type { Calls, LoadFrom, Reply, Request, SentLanguages, SessionEvent } from '../protocol.ts';
import { type LoadedModel, textModelOf, translateText } from './decode-text.ts';
import { countGpuMemory, loseDevice } from './gpu-memory.ts';
import { loadAnyModel } from './load-any-model.ts';
import type { TrainingRun } from './worker-run.ts';

const trainingCode = () => import('./training-code.ts');

const gpuMemory = countGpuMemory();
/** Checkpoints that cannot be written to disk. */
const memory = memoryFiles();
/** Corpora that the visitor has selected, by name. */
const uploads = new Map<string, Uint8Array>();
let disk: BrowserFiles;
let store: ModelStore;

/** Opens the storage and registers its files with the library; calls wait for it. */
const opened = (async () => {
  disk = await openFiles();
  store = new ModelStore(disk, memory);
  const files: Files = { ...disk, read: async (path) => uploads.get(path) ?? disk.read(path) };
  registerHost({ files, hub: '', fewerLaunches });
})();
opened.catch(() => undefined); // every call reports the error

const post = (reply: Reply): void => self.postMessage(reply);
const send = (event: Sent<SessionEvent>): void => post({ type: 'event', event });

const warn = (text: string): void => send({ type: 'warning', text });

/** The name of the worker says whether to auto-tune kernels, which is slow on a software adapter. */
const tune = !self.name.includes('untuned');
const onEvent = (event: JobEvent): void => {
  if (event.type === 'message') send({ type: 'log', text: event.template ?? event.text });
  else if (event.type === 'progress') send({ ...event, text: event.template ?? event.text });
};

let training: TrainingRun | undefined;
/** The loaded model while no training runs; it is loaded at its first use. */
let current:
  | {
      name: string;
      readonly from?: LoadFrom;
      readonly languages?: SentLanguages;
      loaded?: Promise<LoadedModel>;
    }
  | undefined;
const isTraining = () => training && !['stopped', 'done', 'failed'].includes(training.state);

/** Replaces the loaded model, and frees the GPU memory of the previous one. */
async function setCurrent(next: typeof current): Promise<void> {
  const previous = current;
  current = next;
  (await previous?.loaded?.catch(() => undefined))?.model.dispose();
}

async function startRun(
  name: string,
  corpus: CorpusArguments,
  options: TrainOptions<AnyModel>,
): Promise<void> {
  const { startTraining } = await trainingCode();
  checkModelName(name);
  if (isTraining()) throw new HeddleError(msg`A training is running; stop it first.`);
  const release = await lockModel(name);
  await setCurrent({ name });
  const readRunLog = async () => (await checkpointCode()).readTrainingLog(name, { onMessage: warn });
  const run = startTraining(
    name,
    corpus,
    { ...options, tune, snapshots: memory },
    { send, memory: gpuMemory, readLog: readRunLog },
  );
  training = run;
  void run.ended.then((model) => {
    if (model) current = { name, loaded: Promise.resolve({ name, model, step: run.step }) };
    release();
  });
  await run.started;
}

/** Runs `work` with the model that is training or loaded. */
async function withModel<T>(work: (loaded: LoadedModel) => Promise<T>): Promise<T> {
  if (training && isTraining())
    try {
      return await training.use(work);
    } catch (error) {
      const { RunEndedError } = await trainingCode();
      if (!(error instanceof RunEndedError)) throw error;
    }
  const entry = current;
  if (!entry) throw new HeddleError(msg`No model is loaded. Train one, or load one.`);
  const loaded = await loadCurrent(entry);
  return work({ ...loaded, name: entry.name });
}

/** The loaded model, which no training changes. */
function loadedModel(): ReturnType<typeof loadCurrent> {
  if (!current) throw new HeddleError(msg`No model is loaded. Load one.`);
  return loadCurrent(current);
}

/** Loads a stored model. */
async function loadStored(name: string, languages?: SentLanguages): Promise<AnyModel> {
  if (!(await store.exists(name))) throw new HeddleError(msg`There is no model ${name} in this browser.`);
  const isInMemory = (await store.filesOf(name)) === memory;
  const from = isInMemory ? new File([await store.archive(name)], `${name}.zip`) : name;
  return loadAnyModel(from, { tune, onEvent, ...languages });
}

function loadCurrent(entry: NonNullable<typeof current>): NonNullable<(typeof entry)['loaded']> {
  entry.loaded ??= (async () => {
    const { name, from: shipped, languages } = entry;
    // Without auto-tuning, because the first translation must be fast.
    if (shipped) return { name, model: await loadShipped(name, shipped.url), step: shipped.step };
    const model = await loadStored(name, languages);
    const files = await store.filesOf(name);
    const checkpoint = await storedCheckpoint(modelFolder(name), { files }).catch(() => undefined);
    return { name, model, step: checkpoint?.step ?? 0 };
  })();
  entry.loaded.catch(() => {
    delete entry.loaded;
  });
  return entry.loaded;
}

/** Loads a model of the page's server; an error of the request names the model, not the URL of its file. */
async function loadShipped(name: string, url: string): Promise<AnyModel> {
  try {
    return await loadAnyModel(url, { tune: false, onEvent });
  } catch (error) {
    if (!(error instanceof HeddleError && (error.kind === 'network' || error.kind === 'not-found')))
      throw error;
    throw new HeddleError(
      msg`${name}: the file of the model could not be downloaded from ${new URL(url).host}. Check the network connection, then select the model again.`,
      { cause: error },
    );
  }
}

function runningTraining(): TrainingRun {
  if (!training || !isTraining()) throw new HeddleError(msg`No training is running.`);
  return training;
}

/** Id and abort signal of a call. */
interface CallContext {
  readonly id: number;
  readonly signal: AbortSignal;
}

const calls: {
  [N in keyof Calls]: (context: CallContext, ...args: Parameters<Calls[N]>) => Promise<ReturnType<Calls[N]>>;
} = {
  describe: async ({ signal }, settings) => {
    const onProgress = (event: JobEvent) => {
      if (event.type === 'progress' && !signal.aborted)
        send({ ...event, text: event.template ?? event.text });
    };
    return (await trainingCode()).describeTraining(settings, signal, onProgress);
  },
  async start(_, { name, corpus, settings }, { replace }) {
    const { corpusArguments, corpusBytes } = await trainingCode();
    checkModelName(name);
    if ((await store.exists(name)) && !replace)
      throw new ExistsError(msg`A model ${name} is already in this browser.`);
    uploads.clear();
    if (corpus.kind === 'text') uploads.set(corpus.name, await corpusBytes(corpus));
    await startRun(name, corpusArguments(corpus), { testSentences: 0, ...settings });
  },
  async resume(_, name, length) {
    await store.moveToDisk(name);
    const { corpus, storedPairs } = await storedCheckpoint(name);
    if (corpus.kind === 'tsv' && storedPairs === undefined)
      throw new HeddleError(
        msg`${name} cannot be resumed: its training pairs (${corpus.path}) are not in this browser. Resume it with heddle train --resume, or train a new model on that file.`,
      );
    await startRun(name, corpus, { ...length, resume: true });
  },
  pause: async () => runningTraining().pause(),
  singleStep: async () => runningTraining().singleStep(),
  change: async (_, settings) => runningTraining().change(settings),
  continue: async () => runningTraining().continue(),
  rest: async (_, times) => runningTraining().rest(times),
  saveNow: async () => training && saveIfTraining(training.name),
  stop: async () => runningTraining().stop(),
  translate: ({ id, signal }, text, options) =>
    withModel((loaded) => {
      signal.throwIfAborted();
      return translateText(loaded, text, options, (piece) => post({ type: 'piece', id, piece }), signal);
    }),
  languages: () => withModel(async ({ model }) => ('translate' in model ? model.languages : undefined)),
  score: ({ signal }, pairs, languages) =>
    withModel(({ name, model }) => textModelOf(name, model).score(pairs, { ...languages, signal })),
  inspect: (_, text, options) =>
    withModel(({ name, model }) => textModelOf(name, model).inspect(text, options)),
  previewBatches: async (_, corpus, options) =>
    (await import('./train-by-hand.ts')).batchesOf(
      textModelOf(current?.name ?? '', (await loadedModel()).model),
      corpus,
      options,
    ),
  neighbours: async (_, id, count) =>
    (await import('./train-by-hand.ts')).nearestTokens(
      textModelOf(current?.name ?? '', (await loadedModel()).model),
      id,
      count,
    ),
  startByHand: async (_, pair) =>
    (await import('./train-by-hand.ts')).startByHand(
      textModelOf(current?.name ?? '', (await loadedModel()).model),
      pair,
    ),
  updateByHand: async (_, place, rate, warmupSteps) =>
    (await import('./train-by-hand.ts')).updateByHand(place, rate, warmupSteps),
  async teachSecret({ id }, url, pairs) {
    if (isTraining()) throw new HeddleError(msg`A training is running; stop it first.`);
    const { learnSecret } = await import('./secret-language.ts');
    const model = await learnSecret(url, pairs, (step, of) =>
      post({ type: 'piece', id, piece: { id: step, text: String(step / of) } }),
    );
    const name = 'secret';
    await setCurrent({ name, loaded: Promise.resolve({ name, model, step: 0 }) });
  },
  storage: () => store.info(),
  history: async (_, name) => (await trainingCode()).readHistory(store, name),
  runs: async () => (await trainingCode()).readRuns(store),
  async evaluate({ signal }, names, pairs) {
    if (isTraining()) throw new HeddleError(msg`A training is running; stop it first.`);
    return (await trainingCode()).evaluateRuns(names, pairs, { load: loadStored, signal });
  },
  async corpusOf(_, name) {
    const files = await store.filesOf(name);
    const { storedPairs } = await storedCheckpoint(modelFolder(name), { files });
    if (storedPairs === undefined) throw new HeddleError(msg`The pairs of ${name} are not in this browser.`);
    return files.read(storedPairs);
  },
  async load(_, name, from, languages) {
    if (isTraining()) throw new HeddleError(msg`A training is running; stop it first.`);
    const entry = { name, from, languages };
    await setCurrent(entry);
    await loadCurrent(entry);
  },
  async save(_, name, as) {
    await saveIfTraining(name);
    await store.copy(name, as);
  },
  async rename(_, name, as) {
    await store.copy(name, as);
    await store.remove(name);
    if (current?.name === name) current.name = as;
  },
  async remove(_, name) {
    await store.remove(name);
    if (current?.name === name && !isTraining()) await setCurrent(undefined);
  },
  async exportArchive(_, name) {
    await saveIfTraining(name);
    return store.archive(name);
  },
  async exportSafetensors(_, name) {
    await saveIfTraining(name);
    return store.weights(name);
  },
  async exportOnnx(_, name) {
    await saveIfTraining(name);
    const { exportForTransformers } = await import('./onnx-export.ts');
    const model = await loadAnyModel(name);
    try {
      return await exportForTransformers(model, warn);
    } finally {
      model.dispose();
    }
  },
  async exportHtml(_, name) {
    await saveIfTraining(name);
    const model = await loadAnyModel(name);
    try {
      return await model.toBlob({ format: 'html', formatOptions: { title: name } });
    } finally {
      model.dispose();
    }
  },
  async takeAway(_, name, lesson) {
    const programs = await trainGuests.takeAway?.();
    if (!programs) throw new HeddleError(msg`This page has no programs to take away.`);
    if (lesson)
      return programs.takeAwayModel(
        textModelOf(current?.name ?? '', (await loadedModel()).model),
        name,
        lesson.pairs,
        lesson.settings,
      );
    await saveIfTraining(name);
    return programs.takeAwayStored(store, name);
  },
  async firefoxFiles(_, name) {
    await saveIfTraining(name);
    const files = await store.filesOf(name);
    const checkpoint = await storedCheckpoint(modelFolder(name), { files }).catch(() => undefined);
    const stored = checkpoint?.storedPairs;
    const { firefoxFiles } = await import('./firefox-export.ts');
    return firefoxFiles(name, stored === undefined ? undefined : await files.read(stored));
  },
  importArchive: (_, data, name) => store.importFile(data, name),
  removePartial: (_, name) => store.removePartial(name),
  pull({ id, signal }, model, hub) {
    // Throttled to one message per 50 ms: a download may report thousands of chunks per second.
    let latest: PullProgress | undefined;
    return pullToBrowser(disk, store, { signal }, model, hub, (progress) => {
      if (!latest)
        setTimeout(() => {
          if (latest) post({ type: 'download', id, progress: latest });
          latest = undefined;
        }, 50);
      latest = progress;
    });
  },
  loseDevice: async () => loseDevice(),
  memory: async () => gpuMemory(),
};

/** Saves a checkpoint if the model is being trained. */
async function saveIfTraining(name: string): Promise<void> {
  if (training?.name === name && training.state === 'training') await training.save();
}

const pendingCalls = new Map<number, AbortController>();

self.onmessage = async ({ data }: MessageEvent<Request>) => {
  if (data.type === 'cancel') {
    pendingCalls.get(data.id)?.abort();
    return;
  }
  const { id, name, args } = data;
  const aborted = new AbortController();
  pendingCalls.set(id, aborted);
  try {
    await opened;
    const call = calls[name] as (context: CallContext, ...args: readonly unknown[]) => Promise<unknown>;
    post({ type: 'result', id, value: await call({ id, signal: aborted.signal }, ...args) });
  } catch (error) {
    const { toCallError } = await import('./call-error.ts');
    post({ type: 'error', id, error: toCallError(error, aborted.signal.aborted) });
  } finally {
    pendingCalls.delete(id);
  }
};
