// Worker of the training page: handles the calls of protocol.ts. It has at most one training and one loaded model.

import { HeddleError } from '../../../src/core/errors.ts';
import { type BrowserFiles, browserFiles } from '../../../src/files/browser-files.ts';
import type { Files } from '../../../src/files/files.ts';
import { memoryFiles } from '../../../src/files/memory-files.ts';
import { loadModelFolder } from '../../../src/formats/model-folder.ts';
import type { PullProgress } from '../../../src/hub/pull-model.ts';
import type { JobContext } from '../../../src/runtime/job.ts';
import { createContext, type HostServices } from '../../../src/runtime/job-context.ts';
import { filePlace, keptChoices } from '../../../src/runtime/kernel-store.ts';
import { corpusFile } from '../../../src/runtime/load-corpus.ts';
import { startArguments } from '../../../src/train/resume-arguments.ts';
import type { TrainArguments } from '../../../src/train/train-arguments.ts';
import { readTrainingState } from '../../../src/trainer/training-state.ts';
import { pullModel } from '../../storage/browser-pull.ts';
import { lockModel } from '../../storage/model-locks.ts';
import { checkModelName, ExistsError, type ModelStore, modelFolder, modelStore } from '../../storage/model-store.ts';
import type { Calls, Reply, Request, SessionEvent } from '../protocol.ts';
import { toCallError } from './call-error.ts';
import { attentionOf, type LoadedModel, translateText } from './decode-text.ts';
import { corpusBytes, describeTraining, trainArguments } from './describe-training.ts';
import { countGpuMemory } from './gpu-memory.ts';
import { RunEndedError, startTraining, type TrainingRun } from './training-run.ts';

const memoryFacts = countGpuMemory();
const memory = memoryFiles();
let disk: BrowserFiles;
let store: ModelStore;
/** Opens the storage; calls wait for it. */
const opened = (async () => {
  const root = await navigator.storage.getDirectory();
  disk = browserFiles(await root.getDirectoryHandle('heddle', { create: true }));
  store = modelStore(disk, memory);
})();
opened.catch(() => undefined); // every call reports the error

/** The name of the worker says whether to auto-tune kernels, which is slow on a software adapter. */
const tune = !self.name.includes('untuned');
const deviceMemory = (navigator as { deviceMemory?: number }).deviceMemory;
const machineMemory = deviceMemory ? deviceMemory * 2 ** 30 : undefined;

const post = (reply: Reply): void => self.postMessage(reply);
const send = (event: SessionEvent): void => post({ type: 'event', event });

/** Creates a job context on the WebGPU of the browser. */
const contextFor = (more: Partial<HostServices> & { files: Files }) =>
  createContext({
    host: 'Chrome',
    version: /Chrome\/[\d.]+/.exec(navigator.userAgent)?.[0] ?? '',
    signal: new AbortController().signal,
    openGpu: async () => navigator.gpu,
    emit(event) {
      if (event.type === 'message') send({ type: 'log', text: event.text });
      else if (event.type === 'progress' && event.task !== 'train') send(event);
    },
    ...(tune && { choices: keptChoices(filePlace(disk, 'kernels.json')) }),
    ...(machineMemory && { machineMemory }),
    ...more,
  });

let training: TrainingRun | undefined;
/** The loaded model while no training runs; it is put on an engine at its first use. */
let current: { readonly name: string; loaded?: Promise<LoadedModel> } | undefined;
let idle: ReturnType<typeof createContext> | undefined;
const isTraining = () => training && !['stopped', 'done', 'failed'].includes(training.state);

/** Returns the context that is used while no training runs. */
function idleContext(): JobContext {
  idle ??= contextFor({ files: disk });
  return idle.context;
}

/** Frees the device of the idle context. */
async function closeIdle(): Promise<void> {
  const closing = idle;
  [idle, current] = [undefined, current && { name: current.name }];
  await closing?.close();
}

async function startRun(name: string, args: TrainArguments, files: Files): Promise<void> {
  checkModelName(name);
  if (isTraining()) throw new HeddleError('A training is running; stop it first.');
  const release = await lockModel(name);
  await closeIdle().catch(() => undefined);
  current = { name };
  training = startTraining(name, args, files, {
    send,
    memory: memoryFacts,
    snapshots: memory,
    context: (emit, signal, own) => contextFor({ files: own, signal, emit }),
  });
  void training.ended.then(release);
  await training.started;
}

/** Returns the files of the browser with one more file, which is in memory. */
const withFile = (path: string, bytes: Uint8Array): Files => ({
  ...disk,
  read: async (requested) => (requested === path ? bytes : disk.read(requested)),
});

/** Runs `work` with the model that is training or loaded. */
async function withModel<T>(work: (loaded: LoadedModel) => Promise<T>): Promise<T> {
  if (training && isTraining())
    try {
      return await training.use(work);
    } catch (error) {
      if (!(error instanceof RunEndedError)) throw error;
    }
  if (!current) throw new HeddleError('No model is loaded. Train one, or load one.');
  try {
    return await work(await onDevice(current));
  } catch (error) {
    if ((await idleContext().lost?.()) === undefined) throw error;
    await closeIdle();
    return work(await onDevice(current));
  }
}

function onDevice(model: NonNullable<typeof current>): Promise<LoadedModel> {
  model.loaded ??= (async () => {
    const { name } = model;
    if (!(await store.exists(name))) throw new HeddleError(`There is no model ${name} in this browser.`);
    const files = await store.filesOf(name);
    const loaded = await loadModelFolder(files, modelFolder(name));
    const state = await readTrainingState(files, modelFolder(name)).catch(() => undefined);
    return { name, model: loaded, engine: await idleContext().engine(), step: state?.step ?? 0 };
  })();
  model.loaded.catch(() => {
    delete model.loaded;
  });
  return model.loaded;
}

function runningTraining(): TrainingRun {
  if (!training || !isTraining()) throw new HeddleError('No training is running.');
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
  describe: ({ signal }, settings) => describeTraining(settings, { ...idleContext(), signal }, machineMemory),
  async start(_, settings, { replace }) {
    const { name, corpus } = settings;
    checkModelName(name);
    if ((await store.exists(name)) && !replace) throw new ExistsError(`A model ${name} is already in this browser.`);
    const files = corpus.kind === 'text' ? withFile(corpus.name, corpusBytes(corpus.data)) : disk;
    await startRun(name, trainArguments(settings, modelFolder(name)), files);
  },
  async resume(_, name, length) {
    await store.moveToDisk(name);
    const out = modelFolder(name);
    const { corpus } = startArguments(await readTrainingState(disk, out), out);
    if (corpus.kind === 'tsv' && !(await disk.exists(`${out}/${corpusFile}`)))
      throw new HeddleError(`${name} cannot be resumed: its training pairs (${corpus.path}) were not stored with it.`);
    await startRun(name, { ...length, corpus, out, resume: true }, disk);
  },
  pause: async () => runningTraining().pause(),
  continue: async () => runningTraining().continue(),
  stop: async () => runningTraining().stop(),
  translate: ({ id, signal }, text, options) =>
    withModel((loaded) => {
      signal.throwIfAborted();
      return translateText(loaded, text, options, (piece) => post({ type: 'piece', id, piece }), signal);
    }),
  attention: ({ signal }, text) =>
    withModel((loaded) => {
      signal.throwIfAborted();
      return attentionOf(loaded, text, signal);
    }),
  storage: () => store.info(),
  async load(_, name) {
    if (isTraining()) throw new HeddleError('A training is running; stop it first.');
    await closeIdle();
    current = { name };
    await onDevice(current);
  },
  async save(_, name, as) {
    await saveIfTraining(name);
    await store.copy(name, as);
  },
  async remove(_, name) {
    await store.remove(name);
    if (current?.name === name && !isTraining()) {
      await closeIdle();
      current = undefined;
    }
  },
  async exportArchive(_, name) {
    await saveIfTraining(name);
    return store.archive(name);
  },
  async exportSafetensors(_, name) {
    await saveIfTraining(name);
    return store.weights(name);
  },
  importArchive: (_, data, name) => store.importFile(data, name),
  removePartial: (_, name) => store.removePartial(name),
  pull({ id, signal }, model, hub) {
    // Throttled to one message per 50 ms: a download may report thousands of chunks per second.
    let latest: PullProgress | undefined;
    return pullModel(disk, store, { fetch: (...x) => fetch(...x), signal }, model, hub, (progress) => {
      if (!latest)
        setTimeout(() => {
          if (latest) post({ type: 'download', id, progress: latest });
          latest = undefined;
        }, 50);
      latest = progress;
    });
  },
  async loseDevice() {
    if (training && isTraining()) await training.loseDevice();
    else (await idleContext().device()).gpu.destroy();
  },
  memory: async () => memoryFacts(),
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
    post({ type: 'error', id, error: toCallError(error, aborted.signal.aborted) });
  } finally {
    pendingCalls.delete(id);
  }
};
