// Models in the browser: folders `models/NAME` in its private file system (OPFS), in the format of `heddle
// train`.

import {
  type BrowserFiles,
  copyFolder,
  type Files,
  HeddleError,
  importModel,
  memoryFiles,
  packModel,
  readCheckpoint,
  readModelFacts,
} from '../../src/index.ts';
import { lockedModels, withModelLock } from './model-locks.ts';
import { isModelName, modelNameRule } from './model-names.ts';

/** Thrown if the name of a model is taken. */
export class ExistsError extends Error {
  override readonly name = 'ExistsError';
}

/** Path of a model's folder. */
export const modelFolder = (name: string): string => `models/${name}`;

/** Path of the folder of an incomplete download. */
export const partialFolder = (name: string): string => `pulls/${name}`;

/** A model in the browser. */
export interface StoredModel {
  readonly name: string;
  /** Updates done and in total; 0 for a model without a checkpoint. */
  readonly step: number;
  readonly steps: number;
  /** Whether its training can be resumed: it has a checkpoint before its last step. */
  readonly unfinished: boolean;
  /** Time of the last write, in milliseconds since 1970, and size in bytes. */
  readonly time: number;
  readonly bytes: number;
  readonly parameters: number;
  readonly corpus: string;
  /** Which tab has locked it for writing, if any. */
  readonly lock: 'free' | 'this-tab' | 'other-tab';
}

/** Models in the browser and use of its storage. */
export interface StorageInfo {
  readonly models: readonly StoredModel[];
  /** Bytes used and allowed, and whether the storage is persistent (not evicted by the browser). */
  readonly used: number;
  readonly quota: number;
  readonly persistent: boolean;
  /** Names of incomplete downloads that no tab is continuing. */
  readonly partial: readonly string[];
}

/**
 * Store of the models in the browser. Models that could not be written to disk are kept in memory until the
 * tab closes.
 */
export interface ModelStore {
  /** Returns the files that contain a model: those on disk or those in memory. */
  filesOf(name: string): Promise<Files>;
  exists(name: string): Promise<boolean>;
  info(): Promise<StorageInfo>;
  /**
   * Moves a model from memory to disk. Throws a HeddleError if there is no such model, of kind `quota` if the
   * storage is full.
   */
  moveToDisk(name: string): Promise<void>;
  /** Deletes a model. Throws a LockedError if it is locked. */
  remove(name: string): Promise<void>;
  /** Deletes an incomplete download. Throws a LockedError while a tab continues it. */
  removePartial(name: string): Promise<void>;
  /** Copies a model. Throws an ExistsError if the name `as` is taken. */
  copy(name: string, as: string): Promise<void>;
  /** Returns a zip archive of the model's folder. */
  archive(name: string): Promise<Blob>;
  /** Returns the weights as a safetensors file. Throws a HeddleError if they are in several files. */
  weights(name: string): Promise<Blob>;
  /**
   * Imports a zip archive or safetensors file under the first free name of `name`, `name 2`, ...; returns the
   * name.
   */
  importFile(data: Blob, name: string): Promise<string>;
}

/** Throws a HeddleError if a text is not a valid model name. */
export function checkModelName(name: string): void {
  if (!isModelName(name)) throw new HeddleError(`"${name}" is not a valid model name: ${modelNameRule}`);
}

/** Creates the store on the files of the browser (`files`) and files in memory (`memory`). */
export function modelStore(files: BrowserFiles, memory: Files): ModelStore {
  const filesOf = async (name: string): Promise<Files> =>
    (await memory.exists(modelFolder(name))) ? memory : files;
  const exists = async (name: string) =>
    (await memory.exists(modelFolder(name))) || files.exists(modelFolder(name));
  const requireModel = async (name: string): Promise<Files> => {
    if (!(await exists(name))) throw new HeddleError(`There is no model ${name} in this browser.`);
    return filesOf(name);
  };
  /**
   * Copies a model's files into memory; retries if a checkpoint is saved meanwhile, which would mix two
   * checkpoints.
   */
  const snapshot = async (name: string): Promise<Files> => {
    for (let left = 5; ; left--) {
      const from = await requireModel(name);
      const copy = memoryFiles();
      const before = await savedStep(from, name);
      try {
        await copyFolder(from, modelFolder(name), copy, modelFolder(name));
        if ((await savedStep(from, name)) === before || left === 0) return copy;
      } catch (error) {
        if (left === 0 || !(await exists(name))) throw error;
      }
    }
  };
  const memoryInfo = async (folder: string) => {
    let bytes = 0;
    for (const name of await memory.list(folder)) bytes += (await memory.read(`${folder}/${name}`)).length;
    return { bytes, time: Date.now() };
  };
  const savedStep = async (from: Files, name: string): Promise<string> => {
    const path = `${modelFolder(name)}/state.json`;
    return (await from.exists(path))
      ? String((await readCheckpoint(modelFolder(name), { files: from })).step)
      : '';
  };

  return {
    filesOf,
    exists,
    async info() {
      const locks = await lockedModels();
      const names = new Set<string>();
      for (const from of [files, memory])
        if (await from.exists('models')) for (const name of await from.list('models')) names.add(name);
      const models: StoredModel[] = [];
      for (const name of names) {
        if (!isModelName(name) || !(await exists(name))) continue;
        const from = await filesOf(name);
        if (!(await from.exists(`${modelFolder(name)}/config.json`))) continue;
        const info =
          from === memory ? await memoryInfo(modelFolder(name)) : await files.facts(modelFolder(name));
        models.push({ ...(await describe(from, name, locks.get(name) ?? 'free')), ...info });
      }
      const { usage = 0, quota = 0 } = await navigator.storage.estimate();
      return {
        models: models.sort((a, b) => b.time - a.time),
        used: usage,
        quota,
        partial: (await files.exists('pulls'))
          ? (await files.list('pulls')).filter((name) => !locks.has(name))
          : [],
        persistent: await navigator.storage.persisted(),
      };
    },
    async moveToDisk(name) {
      if ((await requireModel(name)) === files) return;
      await copyFolder(memory, modelFolder(name), files, modelFolder(name));
      await memory.remove(modelFolder(name));
    },
    async remove(name) {
      await requireModel(name);
      await withModelLock(name, async () => {
        await memory.remove(modelFolder(name));
        await files.remove(modelFolder(name));
      });
    },
    async removePartial(name) {
      checkModelName(name);
      await withModelLock(name, () => files.remove(partialFolder(name)));
    },
    async copy(name, as) {
      checkModelName(as);
      const from = await snapshot(name);
      if (await exists(as)) throw new ExistsError(`A model ${as} is already in this browser.`);
      await withModelLock(as, () => copyFolder(from, modelFolder(name), files, modelFolder(as)));
    },
    async archive(name) {
      return packModel(modelFolder(name), { files: await snapshot(name) });
    },
    async weights(name) {
      const from = await requireModel(name);
      const path = `${modelFolder(name)}/model.safetensors`;
      if (!(await from.exists(path)))
        throw new HeddleError(`The weights of ${name} are in several files; export the model as an archive.`);
      const bytes = await from.read(path);
      return new Blob([bytes as BlobPart], { type: 'application/octet-stream' });
    },
    async importFile(data, wanted) {
      const file = wanted.replace(/\.(?:zip|safetensors)$/i, '');
      checkModelName(file);
      let name = file;
      for (let n = 2; await exists(name); n++) name = `${file} ${n}`;
      await withModelLock(name, () => importModel(new File([data], wanted), modelFolder(name), { files }));
      return name;
    },
  };
}

/** Reads the description of a model from its folder; files that are missing or broken are ignored. */
async function describe(
  files: Files,
  name: string,
  lock: StoredModel['lock'],
): Promise<Omit<StoredModel, 'bytes' | 'time'>> {
  const folder = modelFolder(name);
  const checkpoint = await readCheckpoint(folder, { files }).catch(() => undefined);
  const facts = await readModelFacts(folder, { files }).catch(() => undefined);
  const { step = 0, steps = 0 } = checkpoint ?? {};
  return {
    name,
    step,
    steps,
    unfinished: checkpoint !== undefined && (steps === 0 || step < steps),
    parameters: facts?.parameters ?? 0,
    corpus: checkpoint?.corpusName ?? '',
    lock,
  };
}
