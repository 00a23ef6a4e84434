// The services of the platform that the library runs on: WebGPU, files and a cache. The default is a browser;
// the entry heddle/node registers Node (src/host/node-platform.ts).

import { type GpuHost, hostOf } from '../core/host-name.ts';
import type { BrowserFiles } from '../files/browser-files.ts';
import { type Files, openStream } from '../files/files.ts';
import type { TextThreads } from '../text/text-pool.ts';

/** URL of the default hub. */
export const defaultHub = 'https://huggingface.co';

/** Services of a platform. */
export interface Platform {
  readonly host: GpuHost;
  /** Version of the host; tuned kernels are stored per version. */
  readonly version: string;
  /** WebGPU; undefined if the platform has none. */
  openGpu(): Promise<GPU | undefined>;
  /** Files that `loadModel`, `save` and checkpoints use. */
  readonly files: Files;
  /** Path of a saved model: in Node the path itself, in a page a folder of the browser's storage. */
  modelPath(name: string): string;
  /** Path of a file or folder in the cache: downloads, tuned kernels. */
  cachePath(name: string): string;
  /** URL of the model hub, and the access token for models that are not public. */
  readonly hub: string;
  readonly hubToken?: string | undefined;
  /** Bytes of main memory, the limit of a software adapter; undefined if unknown. */
  readonly machineMemory?: number | undefined;
  /** Threads for work on large corpora; undefined if the platform has none. */
  readonly textThreads?: TextThreads | undefined;
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
 * a HeddleError of kind `quota`.
 *
 * @example
 * const files = await openBrowserFiles();
 * console.log(await files.list('models'));
 */
export async function openBrowserFiles(): Promise<BrowserFiles> {
  const { browserFiles } = await import('../files/browser-files.ts');
  const root = await globalThis.navigator.storage.getDirectory();
  return browserFiles(await root.getDirectoryHandle('heddle', { create: true }));
}

function browserPlatform(): Platform {
  const { navigator } = globalThis as { navigator?: Navigator & { readonly deviceMemory?: number } };
  const { name: host, version } = hostOf();
  return {
    host,
    version,
    openGpu: async () => navigator?.gpu,
    files: lazyFiles(openBrowserFiles),
    modelPath: (name) => `models/${name}`,
    cachePath: (name) => name,
    hub: defaultHub,
    machineMemory: navigator?.deviceMemory && navigator.deviceMemory * 2 ** 30,
  };
}

let registered: Platform | undefined;

/**
 * Sets the platform that `train` and `loadModel` use. Omitted services are those of a browser.
 *
 * @example
 * registerPlatform({ files: memoryFiles() }); // `model.save` writes to memory
 */
export function registerPlatform(platform: Partial<Platform>): void {
  registered = { ...browserPlatform(), ...platform };
}

/** The registered platform, or the browser. */
export function currentPlatform(): Platform {
  registered ??= browserPlatform();
  return registered;
}

/** Options that locate a saved model. */
export interface ModelPlace {
  /** Files with the folder. [the files of the platform, with the names of `save` and `checkpoint`] */
  readonly files?: Files;
}

/** Resolves a name to files and the path of a folder in them. */
export function placeOf(
  name: string,
  { files }: ModelPlace,
): { readonly files: Files; readonly folder: string } {
  if (files) return { files, folder: name };
  const platform = currentPlatform();
  return { files: platform.files, folder: platform.modelPath(name) };
}
