// The models in the browser: folders `models/NAME` in its private file system, as `heddle train` writes them.

import { HeddleError } from '../../src/core/errors.ts';
import { packFolder, unpackModelFile } from '../../src/files/archive-files.ts';
import type { BrowserFiles } from '../../src/files/browser-files.ts';
import { copyFolder, type Files, readText } from '../../src/files/files.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { readHfConfig } from '../../src/formats/hf/hf-config.ts';
import { loadModelFolder } from '../../src/formats/model-folder.ts';
import { type ModelConfig, type ModelOptions, modelConfig } from '../../src/model/model-config.ts';
import { parameterList } from '../../src/model/parameters.ts';
import { corpusName } from '../../src/train/logging.ts';
import type { TrainArguments } from '../../src/train/settings.ts';
import { readTrainingState } from '../../src/trainer/training-state.ts';
import { takenModels, withModel } from './model-locks.ts';
import { isModelName } from './model-names.ts';

/** Thrown where a model of that name is there. */
export class ExistsError extends Error {
  override readonly name = 'ExistsError';
}

/** Folder of a model. */
export const folderOf = (name: string): string => `models/${name}`;

/** Where what has come of a model from a hub waits for the rest. */
export const waitingOf = (name: string): string => `pulls/${name}`;

/** A model in the browser. */
export interface StoredModel {
  readonly name: string;
  /** Updates done and planned; 0 for an imported model without a checkpoint. */
  readonly step: number;
  readonly steps: number;
  /** Whether it can go on from where it is: it has a checkpoint, and steps are left. */
  readonly unfinished: boolean;
  /** When it was last written, in milliseconds since 1970, and its size. */
  readonly time: number;
  readonly bytes: number;
  readonly parameters: number;
  readonly corpus: string;
  /** Whether this tab or another one trains it now: then it can be read, not written. */
  readonly lock: 'free' | 'here' | 'elsewhere';
}

/** The browser's storage for this origin. */
export interface StorageFacts {
  readonly models: readonly StoredModel[];
  /** Bytes used and allowed, and whether the browser promises not to clear them by itself. */
  readonly used: number;
  readonly quota: number;
  readonly persistent: boolean;
  /** Models from a hub that have come in part and that nobody fetches now. */
  readonly waiting: readonly string[];
}

/** Models in the browser. `memory` has those that could not be written: they live as long as the tab. */
export interface ModelStore {
  /** Where a model is: the browser's storage, or memory. */
  place(name: string): Promise<Files>;
  exists(name: string): Promise<boolean>;
  facts(): Promise<StorageFacts>;
  /** Writes a model that is in memory to the storage. Throws a QuotaError where there is still no room, a HeddleError where there is none. */
  settle(name: string): Promise<void>;
  /** Removes a model. Throws a LockedError where it is taken. */
  remove(name: string): Promise<void>;
  /** Removes what waits for the rest of a model from a hub. Throws a LockedError while it comes. */
  removeWaiting(name: string): Promise<void>;
  copy(name: string, as: string): Promise<void>;
  /** A zip of the model's folder. */
  archive(name: string): Promise<Blob>;
  weights(name: string): Promise<Blob>;
  /** Puts an archive or a safetensors file in, under the first free name from `name`, `name 2`, ...; gives the name. */
  take(data: Blob, name: string): Promise<string>;
}

/** Throws where a text cannot be a model's name. */
export function checkName(name: string): void {
  if (!isModelName(name))
    throw new HeddleError(
      `"${name}" cannot be a model's name: take letters, digits, - and _, with single spaces or dots between, 60 at most`,
    );
}

/** Opens the models. */
export function modelStore(files: BrowserFiles, memory: Files): ModelStore {
  const place = async (name: string): Promise<Files> => ((await memory.exists(folderOf(name))) ? memory : files);
  const exists = async (name: string) => (await memory.exists(folderOf(name))) || files.exists(folderOf(name));
  const need = async (name: string): Promise<Files> => {
    if (!(await exists(name))) throw new HeddleError(`There is no model ${name} in this browser.`);
    return place(name);
  };
  /** The files of a model at one moment: another save between two of them would mix two checkpoints. */
  const whole = async (name: string): Promise<Files> => {
    for (let left = 5; ; left--) {
      const from = await need(name);
      const copy = memoryFiles();
      const before = await stamp(from, name);
      try {
        await copyFolder(from, folderOf(name), copy, folderOf(name));
        if ((await stamp(from, name)) === before || left === 0) return copy;
      } catch (error) {
        if (left === 0 || !(await exists(name))) throw error;
      }
    }
  };
  const memoryFacts = async (folder: string) => {
    let bytes = 0;
    for (const name of await memory.list(folder)) bytes += (await memory.read(`${folder}/${name}`)).length;
    return { bytes, time: Date.now() };
  };
  const stamp = async (from: Files, name: string): Promise<string> => {
    const path = `${folderOf(name)}/state.json`;
    return (await from.exists(path)) ? String((await readTrainingState(from, folderOf(name))).step) : '';
  };

  return {
    place,
    exists,
    async facts() {
      const taken = await takenModels();
      const names = new Set<string>();
      for (const from of [files, memory])
        if (await from.exists('models')) for (const name of await from.list('models')) names.add(name);
      const models: StoredModel[] = [];
      for (const name of names) {
        if (!isModelName(name) || !(await exists(name))) continue;
        const from = await place(name);
        if (!(await from.exists(`${folderOf(name)}/config.json`))) continue;
        const facts = from === memory ? await memoryFacts(folderOf(name)) : await files.facts(folderOf(name));
        models.push({ ...(await describe(from, name, taken.get(name) ?? 'free')), ...facts });
      }
      const { usage = 0, quota = 0 } = await navigator.storage.estimate();
      return {
        models: models.sort((a, b) => b.time - a.time),
        used: usage,
        quota,
        waiting: (await files.exists('pulls')) ? (await files.list('pulls')).filter((name) => !taken.has(name)) : [],
        persistent: await navigator.storage.persisted(),
      };
    },
    async settle(name) {
      if ((await need(name)) === files) return;
      await copyFolder(memory, folderOf(name), files, folderOf(name));
      await memory.remove(folderOf(name));
    },
    async remove(name) {
      await need(name);
      await withModel(name, async () => {
        await memory.remove(folderOf(name));
        await files.remove(folderOf(name));
      });
    },
    async removeWaiting(name) {
      checkName(name);
      await withModel(name, () => files.remove(waitingOf(name)));
    },
    async copy(name, as) {
      checkName(as);
      const from = await whole(name);
      if (await exists(as)) throw new ExistsError(`A model ${as} is in this browser already.`);
      await withModel(as, () => copyFolder(from, folderOf(name), files, folderOf(as)));
    },
    async archive(name) {
      const parts = await packFolder(await whole(name), folderOf(name));
      return new Blob(parts as BlobPart[], { type: 'application/zip' });
    },
    async weights(name) {
      const from = await need(name);
      const path = `${folderOf(name)}/model.safetensors`;
      if (!(await from.exists(path)))
        throw new HeddleError(`The weights of ${name} are in several files; take all of it as an archive.`);
      const bytes = await from.read(path);
      return new Blob([bytes as BlobPart], { type: 'application/octet-stream' });
    },
    async take(data, wanted) {
      const file = wanted.replace(/\.(?:zip|safetensors)$/i, '');
      checkName(file);
      const parts = await unpackModelFile(new Uint8Array(await data.arrayBuffer()), wanted);
      const unpacked = memoryFiles(
        new Map(Object.entries(parts).map(([name, bytes]) => [`${folderOf(file)}/${name}`, bytes])),
      );
      await loadModelFolder(unpacked, folderOf(file)); // says what is wrong with it, before it is kept
      let name = file;
      for (let n = 2; await exists(name); n++) name = `${file} ${n}`;
      await withModel(name, () => copyFolder(unpacked, folderOf(file), files, folderOf(name)));
      return name;
    },
  };
}

/** The configuration of a model of this engine, or of one from a hub. */
const configOf = (json: Record<string, unknown>): ModelConfig =>
  json.model_type === undefined ? modelConfig(json.model as ModelOptions) : readHfConfig(json).config;

/** What a model's folder says of it. A part that is missing or broken counts as nothing known. */
async function describe(
  files: Files,
  name: string,
  lock: StoredModel['lock'],
): Promise<Omit<StoredModel, 'bytes' | 'time'>> {
  const folder = folderOf(name);
  const state = await readTrainingState(files, folder).catch(() => undefined);
  const args = state?.arguments as Partial<TrainArguments> | undefined;
  const parameters = await readText(files, `${folder}/config.json`)
    .then((text) => parameterList(configOf(JSON.parse(text))).count)
    .catch(() => 0);
  const { step = 0, steps = args?.steps ?? 0 } = state ?? {};
  return {
    name,
    step,
    steps,
    unfinished: state !== undefined && args !== undefined && (steps === 0 || step < steps),
    parameters,
    corpus: args?.corpus ? corpusName(args.corpus) : '',
    lock,
  };
}
