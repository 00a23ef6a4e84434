// Deno as the host of the library: its own WebGPU, and files by its own API.

import { hostOf } from '../core/host-name.ts';
import type { Files } from '../files/files.ts';
import { defaultHub, type Host } from '../session/host.ts';
import { fewerLaunches } from '../session/launch-code.ts';
import { diskFiles } from './disk-files.ts';

/** The part of Deno's API that is used. */
declare const Deno: {
  readFile(path: string): Promise<Uint8Array>;
  writeFile(path: string, bytes: Uint8Array, options?: { append: boolean }): Promise<void>;
  open(path: string): Promise<{ readable: ReadableStream<Uint8Array> }>;
  stdin: { readable: ReadableStream<Uint8Array> };
  stat(path: string): Promise<{ isFile: boolean; isDirectory: boolean; size: number }>;
  readDir(path: string): AsyncIterable<{ name: string }>;
  mkdir(path: string): Promise<void>;
  readLink(path: string): Promise<string>;
  realPath(path: string): Promise<string>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string, options: { recursive: true }): Promise<void>;
  systemMemoryInfo(): { total: number };
  env: { get(name: string): string | undefined };
};

/**
 * Files on disk; Deno has to allow reading and writing their paths. See `nodeFiles` for what a write
 * guarantees.
 */
export const denoFiles = (): Files =>
  diskFiles({
    read: (path) => Deno.readFile(path),
    stream: async (path) => (path === '-' ? Deno.stdin.readable : (await Deno.open(path)).readable),
    write: (path, bytes) => Deno.writeFile(path, bytes),
    append: (path, bytes) => Deno.writeFile(path, bytes, { append: true }),
    async stat(path) {
      const { isFile, isDirectory, size } = await Deno.stat(path);
      return { isFile, isFolder: isDirectory, size };
    },
    async list(folder) {
      const names: string[] = [];
      for await (const { name } of Deno.readDir(folder)) names.push(name);
      return names;
    },
    makeFolder: (path) => Deno.mkdir(path),
    readLink: (path) => Deno.readLink(path),
    realPath: (path) => Deno.realPath(path),
    rename: (from, to) => Deno.rename(from, to),
    async remove(path) {
      try {
        await Deno.remove(path, { recursive: true });
      } catch (error) {
        if ((error as { code?: string }).code !== 'ENOENT') throw error;
      }
    },
  });

/** The result of `ask`; undefined if Deno does not allow it. */
function allowed<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch {
    return undefined;
  }
}

/**
 * Deno as a host. Reads HF_ENDPOINT, HF_TOKEN, HEDDLE_CACHE, XDG_CACHE_HOME, LOCALAPPDATA and HOME from the
 * environment, if Deno allows it.
 */
export function denoHost(): Host {
  const env = (name: string) => allowed(() => Deno.env.get(name)) || undefined;
  const caches = env('XDG_CACHE_HOME') ?? env('LOCALAPPDATA') ?? `${env('HOME') ?? '.'}/.cache`;
  return {
    name: 'Deno',
    version: hostOf().version,
    gpu: async () => globalThis.navigator.gpu,
    files: denoFiles(),
    modelPath: (name) => name,
    cachePath: (name) => `${env('HEDDLE_CACHE') ?? `${caches}/heddle`}/${name}`,
    hub: env('HF_ENDPOINT') ?? defaultHub,
    hubToken: env('HF_TOKEN'),
    fewerLaunches,
    memory: allowed(() => Deno.systemMemoryInfo().total),
  };
}
