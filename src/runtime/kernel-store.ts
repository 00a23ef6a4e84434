// Choices of kernels that outlive a process: one JSON text somewhere (a file in the user's cache folder or the browser's storage), by
// adapter and by the hash of the shaders they were measured with. Whatever cannot be read counts as nothing known.

import { type Files, readText, writeText } from '../files/files.ts';
import { isObject } from '../files/json-files.ts';
import { shaderHash } from '../gpu/shaders.ts';
import type { KernelChoices } from '../plan/kernel-choices.ts';

/** What is known of an adapter, by key. */
export interface Known {
  /** Variants that won. */
  readonly measured: KernelChoices;
  /** Variants that were taken unmeasured; they are taken again until they are measured, so that two runs give the same bits. */
  readonly guessed: KernelChoices;
}

/** Keeps which kernels are taken, by adapter. */
export interface ChoiceStore {
  /** Where, for people. */
  readonly place: string;
  load(adapter: string): Promise<Known>;
  /** Adds to what is kept for the adapter; a guess never takes the place of what was measured. Rejects where it cannot be written. */
  save(adapter: string, found: Known): Promise<void>;
}

/** Where the text lies. */
export interface TextPlace {
  /** For people. */
  readonly name: string;
  read(): Promise<string | undefined>;
  write(text: string): Promise<void>;
}

/** Version 1 did not tell guesses from measurements, and is ignored. */
const version = 2;

interface Kept {
  readonly version: typeof version;
  readonly shaders: string;
  readonly adapters: Record<string, Known>;
}

/** A store in one text. */
export function keptChoices(place: TextPlace): ChoiceStore {
  const shaders = shaderHash();
  const read = async (): Promise<Kept> => {
    const nothing: Kept = { version, shaders, adapters: {} };
    try {
      const kept = JSON.parse((await place.read()) ?? 'null') as Kept | null;
      return kept?.version === version && kept.shaders === shaders && isObject(kept.adapters) ? kept : nothing;
    } catch {
      return nothing;
    }
  };
  return {
    place: place.name,
    load: async (adapter) => knownIn((await read()).adapters[adapter]),
    async save(adapter, found) {
      const kept = await read();
      const before = knownIn(kept.adapters[adapter]);
      const measured = { ...before.measured, ...found.measured };
      const guessed = { ...before.guessed, ...found.guessed };
      for (const key of Object.keys(measured)) delete guessed[key];
      await place.write(JSON.stringify({ ...kept, adapters: { ...kept.adapters, [adapter]: { measured, guessed } } }));
    },
  };
}

/** A file as a place. */
export const filePlace = (files: Files, path: string): TextPlace => ({
  name: path,
  read: async () => ((await files.exists(path)) ? readText(files, path) : undefined),
  write: (text) => writeText(files, path, text),
});

/** What of an entry of the text can be used. */
function knownIn(entry: unknown): { measured: Record<string, string>; guessed: Record<string, string> } {
  const { measured, guessed } = isObject(entry) ? entry : {};
  return { measured: variantsIn(measured), guessed: variantsIn(guessed) };
}

const variantsIn = (list: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries(isObject(list) ? list : {}).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  );
