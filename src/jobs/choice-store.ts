// Choices of kernels that outlive a process: one JSON text somewhere (a file in the user's cache folder, the browser's storage), by
// adapter and by the hash of the shaders they were measured with. Whatever cannot be read counts as nothing known.

import { type Files, readText, writeText } from '../formats/files.ts';
import { shaderHash } from '../gpu/shaders.ts';
import { isObject } from '../json.ts';
import type { Choices } from '../plan/planner.ts';

/** Keeps which kernels won, by adapter. */
export interface ChoiceStore {
  load(adapter: string): Promise<Choices>;
  /** Adds to what is kept for the adapter. */
  save(adapter: string, choices: Choices): Promise<void>;
}

/** Where the text lies. Both may fail: choices can always be measured again. */
export interface TextPlace {
  read(): Promise<string | undefined>;
  write(text: string): Promise<void>;
}

interface Kept {
  readonly version: 1;
  readonly shaders: string;
  readonly adapters: Record<string, Choices>;
}

/** A store in one text. */
export function keptChoices(place: TextPlace): ChoiceStore {
  const shaders = shaderHash();
  const read = async (): Promise<Kept> => {
    const nothing: Kept = { version: 1, shaders, adapters: {} };
    try {
      const kept = JSON.parse((await place.read()) ?? 'null') as Kept | null;
      return kept?.version === 1 && kept.shaders === shaders && isObject(kept.adapters) ? kept : nothing;
    } catch {
      return nothing;
    }
  };
  return {
    async load(adapter) {
      const choices: unknown = (await read()).adapters[adapter];
      if (!isObject(choices)) return {};
      return Object.fromEntries(
        Object.entries(choices).filter(([, variant]) => typeof variant === 'string'),
      ) as Choices;
    },
    async save(adapter, choices) {
      const kept = await read();
      const adapters = { ...kept.adapters, [adapter]: { ...kept.adapters[adapter], ...choices } };
      await place.write(JSON.stringify({ ...kept, adapters })).catch(() => undefined);
    },
  };
}

/** Choices kept as long as the process or page lives. */
export function sessionChoices(): ChoiceStore {
  let text: string | undefined;
  return keptChoices({
    read: async () => text,
    async write(next) {
      text = next;
    },
  });
}

/** A file as a place. */
export const filePlace = (files: Files, path: string): TextPlace => ({
  read: async () => ((await files.exists(path)) ? readText(files, path) : undefined),
  write: (text) => writeText(files, path, text),
});

/** The browser's storage as a place; absent where it is switched off. */
export const browserPlace = (key = 'heddle.choices'): TextPlace => ({
  read: async () => globalThis.localStorage?.getItem(key) ?? undefined,
  write: async (text) => globalThis.localStorage?.setItem(key, text),
});
