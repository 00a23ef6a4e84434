// The training's worker: answers the calls of protocol.ts. One training at a time, one model in use.

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
import type { TrainArguments } from '../../../src/train/settings.ts';
import { readTrainingState } from '../../../src/trainer/training-state.ts';
import { pullModel } from '../../storage/browser-pull.ts';
import { takeModel } from '../../storage/model-locks.ts';
import { checkName, ExistsError, folderOf, type ModelStore, modelStore } from '../../storage/model-store.ts';
import { checkpointSeconds } from '../page/default-settings.ts';
import type { Calls, Reply, Request, SessionEvent } from '../protocol.ts';
import { faultOf } from './call-error.ts';
import { attentionOf, type InUse, translateText } from './decode-text.ts';
import { corpusBytes, describeTraining, trainArguments } from './describe-training.ts';
import { meterGpu } from './gpu-memory.ts';
import { Ended, startTraining, type Training } from './training-run.ts';

const memoryFacts = meterGpu();
const memory = memoryFiles();
let disk: BrowserFiles;
let store: ModelStore;
/** The browser's storage; calls that come before it is open wait for it. */
const opened = (async () => {
  const root = await navigator.storage.getDirectory();
  disk = browserFiles(await root.getDirectoryHandle('heddle', { create: true }));
  store = modelStore(disk, memory);
})();
opened.catch(() => undefined); // every call says so

/** The page starts the worker under this name where kernels shall not be measured, which takes long on a software adapter. */
const tuned = !self.name.includes('untuned');
const deviceMemory = (navigator as { deviceMemory?: number }).deviceMemory;
const machineMemory = deviceMemory ? deviceMemory * 2 ** 30 : undefined;

const post = (reply: Reply): void => self.postMessage(reply);
const tell = (event: SessionEvent): void => post({ type: 'event', event });

/** A context on the browser's WebGPU. */
const contextFor = (more: Partial<HostServices> & { files: Files }) =>
  createContext({
    host: 'Chrome',
    version: /Chrome\/[\d.]+/.exec(navigator.userAgent)?.[0] ?? '',
    signal: new AbortController().signal,
    openGpu: async () => navigator.gpu,
    emit(event) {
      if (event.type === 'log') tell({ type: 'log', text: event.text });
      else if (event.type === 'progress' && event.task !== 'train') tell(event);
    },
    ...(tuned && { choices: keptChoices(filePlace(disk, 'kernels.json')) }),
    ...(machineMemory && { machineMemory }),
    ...more,
  });

let training: Training | undefined;
/** The model in use while none is trained: known by name, put on an engine at its first use. */
let atRest: { readonly name: string; used?: Promise<InUse> } | undefined;
let resting: ReturnType<typeof createContext> | undefined;
const running = () => training && !['stopped', 'done', 'failed'].includes(training.state);

/** The context of what is done while nothing is trained. */
function rest(): JobContext {
  resting ??= contextFor({ files: disk });
  return resting.context;
}

/** Frees the device that was used while nothing was trained. */
async function leave(): Promise<void> {
  const left = resting;
  [resting, atRest] = [undefined, atRest && { name: atRest.name }];
  await left?.close();
}

async function begin(name: string, args: TrainArguments, files: Files): Promise<void> {
  checkName(name);
  if (running()) throw new HeddleError('A training is running; stop it first.');
  const release = await takeModel(name);
  await leave().catch(() => undefined);
  atRest = { name };
  training = startTraining(name, args, files, {
    tell,
    memory: memoryFacts,
    context: (live, signal, own) => contextFor({ files: own, live, signal, memory }),
  });
  void training.ended.then(release);
  await training.started;
}

/** The browser's files, and one more that is not among them. */
const withFile = (path: string, bytes: Uint8Array): Files => ({
  ...disk,
  read: async (asked) => (asked === path ? bytes : disk.read(asked)),
});

/** Does something with the model in use. */
async function use<T>(work: (inUse: InUse) => Promise<T>): Promise<T> {
  if (training && running())
    try {
      return await training.use(work);
    } catch (error) {
      if (!(error instanceof Ended)) throw error;
    }
  if (!atRest) throw new HeddleError('There is no model to translate with: train one, or open one.');
  try {
    return await work(await onDevice(atRest));
  } catch (error) {
    if ((await rest().lost?.()) === undefined) throw error;
    await leave();
    return work(await onDevice(atRest));
  }
}

function onDevice(model: NonNullable<typeof atRest>): Promise<InUse> {
  model.used ??= (async () => {
    const { name } = model;
    if (!(await store.exists(name))) throw new HeddleError(`There is no model ${name} in this browser.`);
    const files = await store.place(name);
    const loaded = await loadModelFolder(files, folderOf(name));
    const state = await readTrainingState(files, folderOf(name)).catch(() => undefined);
    return { name, model: loaded, engine: await rest().engine(), step: state?.step ?? 0 };
  })();
  model.used.catch(() => {
    delete model.used;
  });
  return model.used;
}

function runningTraining(): Training {
  if (!training || !running()) throw new HeddleError('No training is running.');
  return training;
}

/** What a call gets beside its arguments. */
interface Caller {
  readonly id: number;
  readonly signal: AbortSignal;
}

const calls: { [N in keyof Calls]: (caller: Caller, ...args: Parameters<Calls[N]>) => Promise<ReturnType<Calls[N]>> } =
  {
    async describe({ signal }, settings) {
      const device = await rest().device();
      signal.throwIfAborted();
      const memoryLimit = device.gpu.adapterInfo.isFallbackAdapter ? machineMemory : undefined;
      return describeTraining(settings, device, { signal, memoryLimit });
    },
    async start(_, settings, { replace }) {
      const { name, corpus } = settings;
      checkName(name);
      if ((await store.exists(name)) && !replace) throw new ExistsError(`A model ${name} is in this browser already.`);
      const files = corpus.kind === 'text' ? withFile(corpus.name, corpusBytes(corpus.data)) : disk;
      await begin(name, trainArguments(settings, folderOf(name)), files);
    },
    async resume(_, name, { steps = 0, epochs = 0 }) {
      await store.settle(name);
      const { arguments: before } = await readTrainingState(disk, folderOf(name));
      const args = { ...(before as TrainArguments), out: folderOf(name), steps, epochs, resume: true };
      const { corpus, saveSeconds = checkpointSeconds } = args;
      if (corpus.kind === 'tsv' && !(await disk.exists(`${folderOf(name)}/${corpusFile}`)))
        throw new HeddleError(
          `${name}: its pairs (${corpus.path}) are not with it, so it can translate but not go on; go on where they are.`,
        );
      await begin(name, { ...args, saveSeconds }, disk);
    },
    pause: async () => runningTraining().pause(),
    continue: async () => runningTraining().continue(),
    stop: async () => runningTraining().stop(),
    translate: ({ id, signal }, text, options) =>
      use((inUse) => {
        signal.throwIfAborted();
        return translateText(inUse, text, options, (piece) => post({ type: 'piece', id, piece }), signal);
      }),
    align: ({ signal }, text) =>
      use((inUse) => {
        signal.throwIfAborted();
        return attentionOf(inUse, text, signal);
      }),
    storage: () => store.facts(),
    async load(_, name) {
      if (running()) throw new HeddleError('A training is running; stop it first.');
      await leave();
      atRest = { name };
      await onDevice(atRest);
    },
    async save(_, name, as) {
      await saved(name);
      await store.copy(name, as);
    },
    async remove(_, name) {
      await store.remove(name);
      if (atRest?.name === name && !running()) {
        await leave();
        atRest = undefined;
      }
    },
    async exportArchive(_, name) {
      await saved(name);
      return store.archive(name);
    },
    async exportSafetensors(_, name) {
      await saved(name);
      return store.weights(name);
    },
    importArchive: (_, data, name) => store.take(data, name),
    removeWaiting: (_, name) => store.removeWaiting(name),
    pull({ id, signal }, model, hub) {
      // Each chunk that comes is told here, which may be thousands a second: the page hears the last of each 50 ms.
      let latest: PullProgress | undefined;
      return pullModel(disk, store, { fetch: (...x) => fetch(...x), signal }, model, hub, (progress) => {
        if (!latest)
          setTimeout(() => {
            if (latest) post({ type: 'bytes', id, progress: latest });
            latest = undefined;
          }, 50);
        latest = progress;
      });
    },
    async loseDevice() {
      if (training && running()) await training.loseDevice();
      else (await rest().device()).gpu.destroy();
    },
    memory: async () => memoryFacts(),
  };

/** Saves the model first where it is the one that is trained. */
async function saved(name: string): Promise<void> {
  if (training?.name === name && training.state === 'training') await training.save();
}

const open = new Map<number, AbortController>();

self.onmessage = async ({ data }: MessageEvent<Request>) => {
  if (data.type === 'cancel') {
    open.get(data.id)?.abort();
    return;
  }
  const { id, name, args } = data;
  const aborted = new AbortController();
  open.set(id, aborted);
  try {
    await opened;
    const call = calls[name] as (caller: Caller, ...args: readonly unknown[]) => Promise<unknown>;
    post({ type: 'answer', id, value: await call({ id, signal: aborted.signal }, ...args) });
  } catch (error) {
    post({ type: 'fault', id, fault: faultOf(error, aborted.signal.aborted) });
  } finally {
    open.delete(id);
  }
};
