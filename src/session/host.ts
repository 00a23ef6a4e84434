// What the host of the library gives: WebGPU, files, a cache, memory, threads. The default host is a browser; the
// entries of Node and Deno register theirs (src/host/). A session (session.ts) computes on a host.

import { checkNames } from '../core/fields.ts';
import { type GpuHost, hostOf } from '../core/host-name.ts';
import type * as launchTuning from '../engine/gpu/launch-tuning.ts';
import type { BrowserFiles } from '../files/browser-files.ts';
import { openStorage } from '../files/browser-files.ts';
import { type Files, openStream } from '../files/files.ts';
import type { TextThreads } from '../text/text-pool.ts';

/** URL of the default hub. */
export const defaultHub = 'https://huggingface.co';

/** What a host gives: Node, Deno or a page. */
export interface Host {
  /** Name of its WebGPU. */
  readonly name: GpuHost;
  /** Version of the WebGPU; tuned kernels are stored per version. */
  readonly version: string;
  /** Opens WebGPU; undefined if the host has none. */
  gpu(): Promise<GPU | undefined>;
  /** Files that `loadModel`, `save` and checkpoints use. */
  readonly files: Files;
  /** Path of a saved model: in Node the path itself, in a page a folder of the browser's storage. */
  modelPath(name: string): string;
  /** Path of a file or folder in the cache: downloads, tuned kernels. */
  cachePath(name: string): string;
  /** URL of the model hub, and the access token for models that are not public. */
  readonly hub: string;
  readonly hubToken?: string;
  /** Bytes of main memory, the limit of a software adapter; undefined if unknown. */
  readonly memory?: number;
  /**
   * Loads the module onnxruntime-web, which models on the device `wasm` need. [the package of this name: in a page its
   * name must be in an import map, or give a function that imports it]
   */
  onnxRuntime?(): Promise<unknown>;
  /**
   * Loads the code that fuses the sublayers of a token into one dispatch each if that is faster on the device. In a
   * page give the function `fewerLaunches`. [Node and Deno have it; a page does without]
   */
  fewerLaunches?(): Promise<typeof launchTuning>;
  /** Threads for work on large corpora; undefined if the host has none. */
  readonly threads?: TextThreads;
}

/** Files that are opened at their first use. */
function lazyFiles(open: () => Promise<Files>): Files {
  let opened: Promise<Files> | undefined;
  const files = () => {
    opened ??= open();
    return opened;
  };
  return {
    read: async (path) => (await files()).read(path),
    stream: async (path) => openStream(await files(), path),
    size: async (path) => (await files()).size?.(path),
    free: async (path) => (await files()).free?.(path),
    write: async (path, bytes) => (await files()).write(path, bytes),
    exists: async (path) => (await files()).exists(path),
    list: async (folder) => (await files()).list(folder),
    rename: async (from, to) => (await files()).rename(from, to),
    remove: async (path) => (await files()).remove(path),
  };
}

/**
 * Opens the files that `loadModel`, `save` and checkpoints use in a page: a folder of the browser's private
 * file system (OPFS). Writing a file and replacing a folder are atomic. A write that exceeds the quota throws
 * a HeddleError of kind `quota`; one of kind `unsupported` if there is no such file system.
 *
 * @example
 * const files = await openBrowserFiles();
 * console.log(await files.list('models'));
 */
export async function openBrowserFiles(): Promise<BrowserFiles> {
  return openStorage();
}

/** A page or a worker of a browser. Its files are in the browser's private file system. */
export function browserHost(): Host {
  const { navigator } = globalThis as { navigator?: Navigator & { readonly deviceMemory?: number } };
  return {
    ...hostOf(),
    gpu: async () => navigator?.gpu,
    files: lazyFiles(openBrowserFiles),
    modelPath: (name) => `models/${name}`,
    cachePath: (name) => name,
    hub: defaultHub,
    memory: navigator?.deviceMemory && navigator.deviceMemory * 2 ** 30,
  };
}

let registered: Host | undefined;

/**
 * Sets the host that `train` and `loadModel` use. Omitted fields are those of a browser.
 *
 * @example
 * registerHost({ files: memoryFiles() }); // `model.save` writes to memory
 */
export function registerHost(host: Partial<Host>): void {
  const defaults = browserHost();
  const others = ['hubToken', 'onnxRuntime', 'fewerLaunches', 'threads'];
  checkNames({ area: 'registerHost' }, [...Object.keys(defaults), ...others], Object.keys(host));
  registered = { ...defaults, ...host };
}

/** The registered host, or the browser. */
export function currentHost(): Host {
  registered ??= browserHost();
  return registered;
}

/** Options that locate a saved model. */
export interface ModelPlace {
  /** Files with the folder. [the files of the host, with the names of `save` and `checkpoint`] */
  readonly files?: Files;
}

/** Resolves a name to files and the path of a folder in them. */
export function placeOf(
  name: string,
  { files }: ModelPlace,
): { readonly files: Files; readonly folder: string } {
  if (files) return { files, folder: name };
  const host = currentHost();
  return { files: host.files, folder: host.modelPath(name) };
}
