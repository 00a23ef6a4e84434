// Loads models from a URL, the hub or a single file. This code is imported at its first use.

import { check, HeddleError, reasonOf, renamedError } from '../core/errors.ts';
import { formatBytes } from '../core/format-numbers.ts';
import { msg } from '../core/message.ts';
import { concatBytes, type Files } from '../files/files.ts';
import type { FolderSource } from '../files/given-files.ts';
import type { HttpOptions } from '../files/hub/http.ts';
import type { PulledModel, PullProgress } from '../files/hub/pull-model.ts';
import { readJson } from '../files/json-files.ts';
import { memoryFiles } from '../files/memory-files.ts';
import { unpackModelFile } from '../files/model-archives.ts';
import { modelFileNames } from '../files/model-file.ts';
import { allFormats } from '../formats/main-formats.ts';
import { loadModelFolder } from '../formats/model-folder.ts';
import type { ModelConfig } from '../model/model-config.ts';
import type { WeightFormat, WeightStorage } from '../model/quantized-parameters.ts';
import type { Features } from '../session/feature-table.ts';
import type { Host, ModelPlace } from '../session/host.ts';
import type { Session } from '../session/session.ts';
import type { OnConfig } from './read-config.ts';

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

/** Options of `pullModel`. */
export interface PullOptions
  extends ModelPlace,
    DownloadOptions,
    Partial<Omit<HttpOptions, 'signal' | 'token'>> {
  /** Folder of the incomplete download. [NAME.part] */
  readonly partial?: string;
  /**
   * Maximum bytes of GPU and JavaScript memory together that the model may need when it is loaded. [that of phones and
   * tablets, else no limit]
   */
  readonly memoryBudget?: number;
  /** Format of the weights when it is loaded. ['f32'] */
  readonly weights?: WeightFormat;
  /** Receives what the model needs, before its weights are downloaded. */
  readonly onMessage?: (text: string) => void;
  /**
   * Whether to check that heddle reads the model: its configuration before the weights are downloaded, all of
   * it at the end. A model that fails is deleted. [false]
   */
  readonly check?: boolean;
  /**
   * Models that are not on the hub, such as `en-es` of Firefox Translations: address of the JSON record of the models.
   * [`db/models.json`, `models.json` or `registry.json` at the base address]
   */
  readonly registry?: string;
  /** Base address of the files of these models. [that of the record; without a record that of the project] */
  readonly baseUrl?: string;
}

/** The folder of a model, and the files that contain it. */
export interface FoundModel {
  readonly files: Files;
  readonly folder: string;
  /** Whether its memory was compared with the budget. */
  readonly isChecked?: boolean;
}

/** Advice for callers of the library. */
const callHints = {
  resume: 'call it again to resume the download',
  access: "pass { token }, an access token from the hub's settings",
  revision: "{ revision: 'refs/pr/1' }",
  unreachable: 'check the network, or pass { hub }, the URL of a mirror',
};

/** The files in a .zip or .safetensors file. */
async function unpacked(bytes: Uint8Array, name: string): Promise<FoundModel> {
  const parts = await unpackModelFile(bytes, name);
  const files = memoryFiles(new Map(Object.entries(parts).map(([file, data]) => [`${name}/${file}`, data])));
  return { files, folder: name };
}

/** The files of a model in a .zip or .safetensors file, or the files of its folder. */
export async function fromBlobs(given: Blob | readonly File[]): Promise<FoundModel> {
  const all: readonly Blob[] = Array.isArray(given) ? given : [given];
  check(
    all.length > 0 && all.every((each) => each instanceof Blob),
    'loadModel: give a name, a path, a URL, a File or a Blob, or an array with the files of a folder',
    'input',
  );
  const [first] = all as [Blob];
  const name = first instanceof File ? first.name : 'the Blob';
  const { blobFiles, readable } = await import('../files/blob-files.ts');
  if (given instanceof Blob || (all.length === 1 && /\.(?:zip|safetensors)$/i.test(name)))
    return unpacked(new Uint8Array(await (await readable(first, name)).arrayBuffer()), name);
  const folder = 'the files';
  return { files: blobFiles(folder, given), folder };
}

/** Finds a model that is not in the files of a session: in Blobs, at a URL or on the hub. */
export function findRemote(
  where: FolderSource,
  session: Session,
  options: DownloadOptions & WeightStorage & { readonly inMemory?: boolean },
): Promise<FoundModel> {
  const { signal = new AbortController().signal } = options;
  if (typeof where !== 'string') return fromBlobs(where);
  if (/^(?:https?|blob|data):/.test(where)) return fromUrl(where, signal, session, options);
  return fromHub(where, session, options, signal);
}

/**
 * A model on the hub, downloaded into the cache if it is not there. The next call resumes a stopped download.
 * Throws a HeddleError if the name is no name on the hub.
 */
async function fromHub(
  name: string,
  session: Session,
  given: DownloadOptions & WeightStorage & { readonly inMemory?: boolean },
  signal: AbortSignal,
): Promise<FoundModel> {
  const { files, host } = session;
  const place = /^(Dawn|Deno)$/.test(host.name)
    ? `folder or file ${name}`
    : `model ${name} in the browser's storage`;
  check(
    /^[\w.-]+\/[\w.-]+$/.test(name) && !name.startsWith('.'),
    `loadModel: there is no ${place}; ${
      place.startsWith('model') && /^\.{0,2}\//.test(name)
        ? `a file of the page has a URL: new URL('${name}', location.href).href`
        : 'write a model on the hub as OWNER/NAME, for example facebook/bart-base'
    }`,
    'not-found',
  );
  const { revision = 'main', hub = host.hub, token = host.hubToken, onDownload = () => undefined } = given;
  const from = (await import('../files/hub/repository.ts')).repository(name, revision, hub);
  const key = `${from.base === host.hub ? '' : `${new URL(from.base).host}--`}${name}--${revision}`;
  const folder = host.cachePath(`hub/${key.replaceAll('/', '--').replaceAll(':', '-')}`);
  if (await files.exists(folder)) return { files, folder };
  try {
    const { checkMemory } = await import('./memory-needs.ts');
    const { weights, weightsExclude, inMemory } = given;
    const onConfig = (config: ModelConfig) =>
      checkMemory(name, config, session, { weights, weightsExclude }, inMemory);
    const options = { revision, hub, signal, token, onDownload, onConfig };
    await downloadModel(name, files, folder, host, options, session.features);
  } catch (error) {
    if (!(error instanceof HeddleError) || error.kind === 'memory') throw error;
    throw new HeddleError(msg`loadModel: there is no ${place}, and from the hub: ${reasonOf(error)}`, {
      kind: error.kind,
      cause: error,
    });
  }
  return { files, folder, isChecked: true };
}

/**
 * Downloads `OWNER/NAME` or `OWNER/NAME@REVISION` from the hub, or a model of another source by its name, into a
 * folder: the work of `pullModel`.
 */
export async function downloadModel(
  model: string,
  files: Files,
  folder: string,
  host: Host,
  options: Omit<PullOptions, 'files'> & { readonly onConfig?: OnConfig },
  features: Features,
): Promise<PulledModel> {
  const [{ pull }, { repository }] = await Promise.all([
    import('../files/hub/pull-model.ts'),
    import('../files/hub/repository.ts'),
  ]);
  const { hub = host.hub, token = host.hubToken, onDownload = () => {}, partial } = options;
  const [, path = '', revision = options.revision ?? 'main'] = /^([^@]*)(?:@(.*))?$/.exec(model.trim()) ?? [];
  const http: HttpOptions = {
    fetch: options.fetch ?? ((...request) => fetch(...request)),
    token,
    signal: options.signal ?? new AbortController().signal,
    idleTimeout: options.idleTimeout ?? 60_000,
    retryDelay: options.retryDelay ?? 500,
    maxRetries: options.maxRetries ?? 5,
    hints: options.hints ?? callHints,
    fallbackHub: options.fallbackHub,
  };
  const source = features.sources.find(({ hasName }) => hasName(path));
  if (source)
    return source.pull({
      files,
      folder,
      http: { ...http, token: undefined }, // the token is for the hub
      name: path,
      version: revision === 'main' ? undefined : revision,
      registry: options.registry,
      baseUrl: options.baseUrl,
      onProgress: onDownload,
      partial,
      check: options.check ? (part) => checkPulled(files, part, undefined, path, features) : undefined,
    });
  const from = repository(path, revision, hub);
  return pull(files, http, from, folder, onDownload, {
    partial,
    check: async (part, file) => {
      if (options.check) await checkPulled(files, part, file, from.name, features);
      if (options.onConfig && file === modelFileNames.config)
        await (await import('./read-config.ts')).checkConfig(files, part, options.onConfig);
    },
  });
}

/**
 * Checks a download: its configuration when config.json has arrived, the whole model at the end (`file` is
 * undefined). Errors name the model instead of the folder of the download.
 */
async function checkPulled(
  files: Files,
  folder: string,
  file: string | undefined,
  model: string,
  features: Features,
): Promise<void> {
  try {
    if (file === undefined) await loadModelFolder(files, folder, features);
    if (file !== modelFileNames.config) return;
    const path = `${folder}/${file}`;
    const raw = await readJson(files, path);
    const format = allFormats(features.formats).find(({ isConfig }) => isConfig?.(raw));
    await format?.readConfig?.(raw, path);
  } catch (error) {
    throw renamedError(error, folder, model);
  }
}

/**
 * A model at a URL: a single file, or a folder with the usual file names. What is above the memory budget is an error
 * before it is downloaded.
 */
async function fromUrl(
  url: string,
  signal: AbortSignal,
  session: Session,
  options: DownloadOptions & WeightStorage & { readonly inMemory?: boolean },
): Promise<FoundModel> {
  const { weights, weightsExclude, inMemory, onDownload = () => undefined } = options;
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
    check(bytes, `${url}: there is no such file (404)`, 'not-found');
    return unpacked(bytes, decodeURIComponent(pathname.split('/').pop() || 'the file'));
  }
  const folder = url.replace(/\/+$/, '');
  const files = urlFiles(folder, read);
  check(
    await files.exists(`${folder}/${modelFileNames.config}`),
    `${url}: it has no ${modelFileNames.config}`,
    'not-found',
  );
  const [{ checkMemory }, { checkConfig }] = await Promise.all([
    import('./memory-needs.ts'),
    import('./read-config.ts'),
  ]);
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
    throw new HeddleError(`${address}: the request failed (${error.message})`, {
      kind: 'network',
      cause: error,
    });
  };
  const response = await fetch(address, { signal }).catch(failed);
  // Servers of single-page applications answer with a page if a file does not exist.
  const isPage = /\btext\/html\b/.test(response.headers.get('Content-Type') ?? '');
  if (response.status === 404 || (response.ok && isPage)) return undefined;
  check(
    response.ok,
    () => `${address}: the server answers ${response.status} ${response.statusText}`,
    'network',
  );
  const bytes = Number(response.headers.get('Content-Length'));
  if (bytes > memoryBudget) {
    await response.body?.cancel();
    throw new HeddleError(
      `${address}: a file of ${formatBytes(bytes)} is above the memory budget of ${formatBytes(memoryBudget)}; use a smaller model`,
      { kind: 'memory' },
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
  const readOnly = async () => check(false, `${folder}: files at a URL are read-only`, 'input');
  return {
    async read(path) {
      const bytes = await get(path);
      check(bytes, `${path}: there is no such file (404)`, 'not-found');
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
