// Loads models from a URL, a single file, or the files of a folder.

import { check, HeddleError } from '../core/errors.ts';
import { byteSize, msg } from '../core/message.ts';
import { blobFiles, readable } from '../files/blob-files.ts';
import { concatBytes, type Files } from '../files/files.ts';
import type { PullProgress } from '../files/hub/pull-model.ts';
import { memoryFiles } from '../files/memory-files.ts';
import { unpackModelFile } from '../files/model-archives.ts';
import { modelFileNames } from '../files/model-file.ts';
import type { WeightStorage } from '../model/quantized-parameters.ts';
import type { Session } from '../session/session.ts';
import { checkMemory } from './memory-needs.ts';
import { checkConfig } from './read-config.ts';

/** Options of a download. */
export interface DownloadOptions {
  /** Branch, tag or commit on the hub. ['main'] */
  readonly revision?: string;
  /** URL of the hub. [https://huggingface.co; in Node HF_ENDPOINT] */
  readonly hub?: string;
  /** Access token for models that are not public. [in Node HF_TOKEN] */
  readonly token?: string;
  /** Stops the call, which rejects with the signal's reason: an AbortError. */
  readonly signal?: AbortSignal;
  /** Receives the progress of a download. */
  readonly onDownload?: (progress: PullProgress) => void;
}

/** The folder of a model, and the files that contain it. */
export interface FoundModel {
  readonly files: Files;
  readonly folder: string;
  /** Whether its memory was compared with the budget. */
  readonly isChecked?: boolean;
}

/** The files in a .zip or .safetensors file. */
async function unpacked(bytes: Uint8Array | Blob, name: string): Promise<FoundModel> {
  const parts = await unpackModelFile(bytes, name);
  const files = memoryFiles(new Map(Object.entries(parts).map(([file, data]) => [`${name}/${file}`, data])));
  return { files, folder: name };
}

/** The files of a model in a .zip or .safetensors file, or the files of its folder. */
export async function fromBlobs(given: Blob | readonly File[]): Promise<FoundModel> {
  const all: readonly Blob[] = Array.isArray(given) ? given : [given];
  check(
    all.length > 0 && all.every((each) => each instanceof Blob),
    'give a name, a path, a URL, a File or a Blob, or an array with the files of a folder',
    { area: 'loadModel' },
  );
  const [first] = all as [Blob];
  const name = first instanceof File ? first.name : 'the Blob';
  if (given instanceof Blob || (all.length === 1 && /\.(?:zip|safetensors)$/i.test(name)))
    return unpacked(await readable(first, name), name);
  const folder = 'the files';
  return { files: blobFiles(folder, given), folder };
}

/**
 * A model at a URL: a single file, or a folder with the usual file names. What is above the memory budget is an error
 * before it is downloaded.
 */
export async function fromUrl(
  url: string,
  session: Session,
  options: DownloadOptions & WeightStorage & { readonly inMemory?: boolean },
): Promise<FoundModel> {
  const { weights, weightsExclude, inMemory, onDownload = () => undefined } = options;
  const { signal = new AbortController().signal } = options;
  const sum = { loaded: 0, total: 0 };
  const read = (address: string) => {
    const file = new URL(address).pathname.split('/').pop() ?? '';
    return readAddress(address, signal, session.memoryBudget, (received, total) => {
      sum.loaded += received;
      sum.total = Math.max(sum.total + total, sum.loaded);
      onDownload({ file, ...sum });
    });
  };
  const { pathname, protocol } = new URL(url);
  if (protocol === 'blob:' || protocol === 'data:' || /\.(?:zip|safetensors)$/i.test(pathname)) {
    const bytes = await read(url);
    check(bytes, 'there is no such file (404)', { kind: 'not-found', area: url });
    return unpacked(bytes, decodeURIComponent(pathname.split('/').pop() || 'the file'));
  }
  const folder = url.replace(/\/+$/, '');
  const files = urlFiles(folder, read);
  check(await files.exists(`${folder}/${modelFileNames.config}`), msg`it has no ${modelFileNames.config}`, {
    kind: 'not-found',
    area: url,
  });
  await checkConfig(files, folder, (config) =>
    checkMemory(url, config, session, { weights, weightsExclude }, inMemory),
  );
  return { files, folder, isChecked: true };
}

/**
 * The bytes at an address; undefined if there are none. `onBytes` receives how many have arrived, and at first how many
 * are expected. Throws a HeddleError if they are more than `memoryBudget`, or the connection ends.
 */
async function readAddress(
  address: string,
  signal: AbortSignal,
  memoryBudget = Number.POSITIVE_INFINITY,
  onBytes: (received: number, expected: number) => void = () => undefined,
): Promise<Uint8Array | undefined> {
  const failed = (error: Error): never => {
    signal.throwIfAborted();
    throw new HeddleError(msg`the request failed (${error.message})`, {
      area: address,
      kind: 'network',
      cause: error,
    });
  };
  const response = await fetch(address, { signal }).catch(failed);
  // Servers of single-page applications answer with a page if a file does not exist.
  const isPage = /\btext\/html\b/.test(response.headers.get('Content-Type') ?? '');
  if (response.status === 404 || (response.ok && isPage)) return undefined;
  check(response.ok, () => msg`the server answers ${response.status} ${response.statusText}`, {
    kind: 'network',
    area: address,
  });
  const bytes = Number(response.headers.get('Content-Length'));
  if (bytes > memoryBudget) {
    await response.body?.cancel();
    throw new HeddleError(
      msg`a file of ${byteSize(bytes)} is above the memory budget of ${byteSize(memoryBudget)}; use a smaller model`,
      { area: address, kind: 'memory' },
    );
  }
  onBytes(0, bytes);
  const parts: Uint8Array[] = [];
  const reader = response.body?.getReader();
  for (
    let part = await reader?.read().catch(failed);
    part?.value;
    part = await reader?.read().catch(failed)
  ) {
    parts.push(part.value);
    onBytes(part.value.length, 0);
  }
  return concatBytes(parts);
}

/** The files of a folder at a URL, each read once. They cannot be written or listed. */
function urlFiles(folder: string, read: (address: string) => Promise<Uint8Array | undefined>): Files {
  const responses = new Map<string, Promise<Uint8Array | undefined>>();
  const get = (path: string) => {
    const bytes = responses.get(path) ?? read(path);
    responses.set(path, bytes);
    return bytes;
  };
  const readOnly = async () => check(false, 'files at a URL are read-only', { kind: 'input', area: folder });
  return {
    async read(path) {
      const bytes = await get(path);
      check(bytes, 'there is no such file (404)', { kind: 'not-found', area: path });
      return bytes;
    },
    exists: async (path) =>
      path === folder || (path.startsWith(`${folder}/`) && (await get(path)) !== undefined),
    list: async () => [],
    write: readOnly,
    rename: readOnly,
    remove: readOnly,
  };
}
