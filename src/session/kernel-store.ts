// Store of kernel choices by adapter: one JSON file in the user's cache folder or in the browser's storage.
// The store counts as empty if the file cannot be read or the shaders have changed.

import { shaderHash } from '../engine/gpu/shaders.ts';
import type { KernelChoices } from '../engine/plan/kernel-choices.ts';
import { type Files, readText, writeText } from '../files/files.ts';
import { isObject } from '../files/json-files.ts';

/**
 * Kernel choices of an adapter, by key. All of them passed the check of src/engine/gpu/kernel-check.ts on it.
 */
export interface StoredKernels {
  /** Fastest variants. */
  readonly measured: KernelChoices;
  /**
   * Variants that were used without timing. They are used again until they are timed, so that two runs give
   * the same bits.
   */
  readonly guessed: KernelChoices;
  /** What is wrong with the variants that failed the check, by op and variant. */
  readonly dropped: Readonly<Record<string, string>>;
  /** Measured peak rate of multiply-adds in GFLOP/s; absent until it is measured. */
  readonly peakGflops?: number;
}

/** Version 2 is ignored: its choices were timed but not checked on the adapter. */
const version = 3;

interface KernelFile {
  readonly version: typeof version;
  readonly shaders: string;
  readonly adapters: Record<string, StoredKernels>;
}

/** A store in one file. */
export class KernelStore {
  readonly #files: Files;
  readonly #path: string;

  constructor(files: Files, path: string) {
    this.#files = files;
    this.#path = path;
  }

  /** The choices of an adapter. */
  async load(adapter: string): Promise<StoredKernels> {
    return knownIn((await this.#read()).adapters[adapter]);
  }

  /**
   * Adds choices; a timed choice is never replaced by an untimed one. Rejects if the file cannot be
   * written.
   */
  async save(adapter: string, kernels: StoredKernels): Promise<void> {
    const stored = await this.#read();
    const before = knownIn(stored.adapters[adapter]);
    const measured = { ...before.measured, ...kernels.measured };
    const guessed = { ...before.guessed, ...kernels.guessed };
    for (const key of Object.keys(measured)) delete guessed[key];
    const dropped = { ...before.dropped, ...kernels.dropped };
    const known: StoredKernels = { ...before, ...kernels, measured, guessed, dropped };
    const adapters = { ...stored.adapters, [adapter]: known };
    await writeText(this.#files, this.#path, JSON.stringify({ ...stored, adapters }));
  }

  async #read(): Promise<KernelFile> {
    const shaders = shaderHash();
    const nothing: KernelFile = { version, shaders, adapters: {} };
    try {
      const stored = JSON.parse(await readText(this.#files, this.#path)) as KernelFile | null;
      return stored?.version === version && stored.shaders === shaders && isObject(stored.adapters)
        ? stored
        : nothing;
    } catch {
      return nothing;
    }
  }
}

/** The valid choices in an entry of the file. */
function knownIn(entry: unknown): StoredKernels {
  const { measured, guessed, dropped, peakGflops } = isObject(entry) ? entry : {};
  const known = { measured: textsIn(measured), guessed: textsIn(guessed), dropped: textsIn(dropped) };
  return typeof peakGflops === 'number' && peakGflops > 0 ? { ...known, peakGflops } : known;
}

const textsIn = (list: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries(isObject(list) ? list : {}).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  );
