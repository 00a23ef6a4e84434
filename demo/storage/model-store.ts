// Models in the browser: folders `models/NAME` in its private file system (OPFS), in the format of `heddle
// train`.

import { msg } from '../../src/core/message.ts';
import { HeddleError } from '../../src/entries/heddle.ts';
import {
  type BrowserFiles,
  copyFolder,
  type Files,
  importModel,
  memoryFiles,
  packModel,
  readModelFacts,
} from '../../src/entries/host.ts';
import { lockedModels, withModelLock } from './model-locks.ts';
import { isModelName, modelNameRule } from './model-names.ts';
import { storedCheckpoint } from './stored-checkpoint.ts';

/** Thrown if the name of a model is taken. */
export class ExistsError extends HeddleError {
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
  /** Whether it has the layers of Firefox's models: a decoder with SSRUs. */
  readonly isForFirefox?: boolean;
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

/** Throws a HeddleError if a text is not a valid model name. */
export function checkModelName(name: string): void {
  if (!isModelName(name)) throw new HeddleError(msg`"${name}" is not a valid model name: ${modelNameRule}`);
}

/**
 * Store of the models in the browser. Models that could not be written to disk are kept in memory until the
 * tab closes.
 */
export class ModelStore {
  readonly #disk: BrowserFiles;
  readonly #memory: Files;

  constructor(disk: BrowserFiles, memory: Files) {
    this.#disk = disk;
    this.#memory = memory;
  }

  /** Returns the files that contain a model: those on disk or those in memory. */
  async filesOf(name: string): Promise<Files> {
    return (await this.#memory.exists(modelFolder(name))) ? this.#memory : this.#disk;
  }

  async exists(name: string): Promise<boolean> {
    const folder = modelFolder(name);
    return (await this.#memory.exists(folder)) || this.#disk.exists(folder);
  }

  async info(): Promise<StorageInfo> {
    const locks = await lockedModels();
    const names = new Set<string>();
    for (const from of [this.#disk, this.#memory])
      if (await from.exists('models')) for (const name of await from.list('models')) names.add(name);
    const models: StoredModel[] = [];
    for (const name of names) {
      const model = await this.#describe(name, locks.get(name) ?? 'free');
      if (model) models.push(model);
    }
    const { usage = 0, quota = 0 } = await navigator.storage.estimate().catch(() => ({}) as StorageEstimate);
    const partial = (await this.#disk.exists('pulls')) ? await this.#disk.list('pulls') : [];
    return {
      models: models.sort((a, b) => b.time - a.time),
      used: usage,
      quota,
      partial: partial.filter((name) => !locks.has(name)),
      persistent: await navigator.storage.persisted().catch(() => false),
    };
  }

  /**
   * Moves a model from memory to disk. Throws a HeddleError if there is no such model, of kind `quota` if the
   * storage is full.
   */
  async moveToDisk(name: string): Promise<void> {
    if ((await this.#require(name)) === this.#disk) return;
    await copyFolder(this.#memory, modelFolder(name), this.#disk, modelFolder(name));
    await this.#memory.remove(modelFolder(name));
  }

  /** Deletes a model. Throws a LockedError if it is locked. */
  async remove(name: string): Promise<void> {
    await this.#require(name);
    await withModelLock(name, async () => {
      await this.#memory.remove(modelFolder(name));
      await this.#disk.remove(modelFolder(name));
    });
  }

  /** Deletes an incomplete download. Throws a LockedError while a tab continues it. */
  async removePartial(name: string): Promise<void> {
    checkModelName(name);
    await withModelLock(name, () => this.#disk.remove(partialFolder(name)));
  }

  /** Copies a model. Throws an ExistsError if the name `as` is taken. */
  async copy(name: string, as: string): Promise<void> {
    checkModelName(as);
    const from = await this.#snapshot(name);
    if (await this.exists(as)) throw new ExistsError(msg`A model ${as} is already in this browser.`);
    await withModelLock(as, () => copyFolder(from, modelFolder(name), this.#disk, modelFolder(as)));
  }

  /** Returns a zip archive of the model's folder. */
  async archive(name: string): Promise<Blob> {
    return packModel(modelFolder(name), { files: await this.#snapshot(name) });
  }

  /** Returns the weights as a safetensors file. Throws a HeddleError if they are in several files. */
  async weights(name: string): Promise<Blob> {
    const from = await this.#require(name);
    const path = `${modelFolder(name)}/model.safetensors`;
    if (!(await from.exists(path)))
      throw new HeddleError(
        msg`The weights of ${name} are in several files; export the model as an archive.`,
      );
    const bytes = await from.read(path);
    return new Blob([bytes as BlobPart], { type: 'application/octet-stream' });
  }

  /**
   * Imports a zip archive or safetensors file, or the files of a folder, under the first free name of `name`,
   * `name 2`, ...; returns the name.
   */
  async importFile(data: Blob | readonly File[], wanted: string): Promise<string> {
    const stem = wanted.replace(/\.(?:zip|safetensors)$/i, '');
    checkModelName(stem);
    let name = stem;
    for (let n = 2; await this.exists(name); n++) name = `${stem} ${n}`;
    const file = data instanceof Blob ? new File([data], wanted) : data;
    await withModelLock(name, () => importModel(file, modelFolder(name), { files: this.#disk }));
    return name;
  }

  /** The files of a model. Throws a HeddleError if there is no such model. */
  async #require(name: string): Promise<Files> {
    if (!(await this.exists(name))) throw new HeddleError(msg`There is no model ${name} in this browser.`);
    return this.filesOf(name);
  }

  /**
   * Copies a model's files into memory; retries if a checkpoint is saved meanwhile, which would mix two
   * checkpoints.
   */
  async #snapshot(name: string): Promise<Files> {
    for (let left = 5; ; left--) {
      const from = await this.#require(name);
      const copy = memoryFiles();
      const before = await savedStep(from, name);
      try {
        await copyFolder(from, modelFolder(name), copy, modelFolder(name));
        if ((await savedStep(from, name)) === before || left === 0) return copy;
      } catch (error) {
        if (left === 0 || !(await this.exists(name))) throw error;
      }
    }
  }

  /** The description of a model; undefined if a folder is none. */
  async #describe(name: string, lock: StoredModel['lock']): Promise<StoredModel | undefined> {
    if (!isModelName(name) || !(await this.exists(name))) return undefined;
    const folder = modelFolder(name);
    const from = await this.filesOf(name);
    const names = await from.list(folder);
    if (!names.some((file) => file === 'config.json' || /^model\..*\.bin$/.test(file))) return undefined;
    const size = from === this.#memory ? await sizeInMemory(from, folder) : await this.#disk.facts(folder);
    return { ...(await describe(from, name, lock)), ...size };
  }
}

/** Bytes of a folder in memory; its time is now. */
async function sizeInMemory(files: Files, folder: string): Promise<{ bytes: number; time: number }> {
  let bytes = 0;
  for (const name of await files.list(folder)) bytes += (await files.read(`${folder}/${name}`)).length;
  return { bytes, time: Date.now() };
}

/** Step of the checkpoint of a model; empty if it has none. */
async function savedStep(files: Files, name: string): Promise<string> {
  const folder = modelFolder(name);
  if (!(await files.exists(`${folder}/state.json`))) return '';
  return String((await storedCheckpoint(folder, { files })).step);
}

/** Reads the description of a model from its folder; files that are missing or broken are ignored. */
async function describe(
  files: Files,
  name: string,
  lock: StoredModel['lock'],
): Promise<Omit<StoredModel, 'bytes' | 'time'>> {
  const folder = modelFolder(name);
  const checkpoint = await storedCheckpoint(folder, { files }).catch(() => undefined);
  const facts = await readModelFacts(folder, { files }).catch(() => undefined);
  const { step = 0, steps = 0 } = checkpoint ?? {};
  return {
    name,
    step,
    steps,
    unfinished: checkpoint !== undefined && (steps === 0 || step < steps),
    parameters: facts?.parameters ?? 0,
    corpus: checkpoint?.corpusName ?? '',
    isForFirefox: facts?.config.decoderSelfAttention === 'ssru',
    lock,
  };
}
