// Loading a model: from the hub, a folder, a zip archive or safetensors file, a URL, a File or Blob, or the browser's
// storage.

import { check, HeddleError } from '../core/errors.ts';
import type { Files } from '../files/files.ts';
import { memoryFiles } from '../files/memory-files.ts';
import { modelFileNames } from '../files/model-file.ts';
import type { LanguageOptions } from '../formats/hf/languages.ts';
import type { PullProgress } from '../hub/pull-model.ts';
import type { ModelConfig } from '../model/model-config.ts';
import type { ParameterList } from '../model/parameter-layout.ts';
import { parameterList } from '../model/parameters.ts';
import type { WeightFormat } from '../model/quantized-parameters.ts';
import type { JobContext } from '../runtime/job.ts';
import { openModel } from '../runtime/open-model.ts';
import { createModel, type Model, type ModelHost } from './model.ts';
import { currentPlatform, type Platform } from './platform.ts';
import { openSession, type SessionOptions } from './session.ts';

/** Settings of `loadModel`. */
export interface LoadOptions extends SessionOptions, LanguageOptions {
  /**
   * Folder of a LoRA adapter, which is merged into weights of f32; or folders of several by name, between which
   * `model.useLora` switches.
   */
  readonly lora?: string | Readonly<Record<string, string>>;
  /**
   * Folders of further models with the same vocabulary: an ensemble. Translating, scoring and evaluating average the
   * probabilities of all; attention, and what is saved, is that of the first. Each has the storage in `weights`.
   */
  readonly ensemble?: readonly string[];
  /** Storage of the weights on the device: f16 and int8 take less memory and are slightly less exact. ['f32'] */
  readonly weights?: WeightFormat;
  /** Branch, tag or commit on the hub. ['main'] */
  readonly revision?: string;
  /** URL of the hub. [https://huggingface.co; in Node HF_ENDPOINT] */
  readonly hub?: string;
  /** Access token for models that are not public. [in Node HF_TOKEN] */
  readonly token?: string;
  /** Stops a download: the call rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Receives the progress of a download. */
  readonly onDownload?: (progress: PullProgress) => void;
}

/**
 * Loads a model. `where` is the name of a model on the hub, which is downloaded once and cached; a folder, .zip or
 * .safetensors file (Node); a name in the browser's storage (page); the URL of a folder, .zip or .safetensors file; or
 * a File or Blob of one of the files. heddle's own models, Hugging Face's BART, MarianMT, mBART, M2M100,
 * NLLB, Pegasus, T5 and mT5, and models saved for PyTorch and Keras can be read. Throws a HeddleError that says what was looked for, or what is wrong with the model.
 * @example
 * const bart = await loadModel('facebook/bart-base');
 * const mine = await loadModel('out', { weights: 'int8' });
 */
export async function loadModel(where: string | Blob, options: LoadOptions = {}): Promise<Model> {
  const { context, close } = openSession(options);
  const platform = currentPlatform();
  const host: ModelHost = hostOf(context, close, platform);
  const { files, folder } = await findModel(where, context.files, platform, options);
  const name = typeof where === 'string' ? where : folder;
  return openFolder(folder, files === context.files ? host : { ...host, files }, { ...options, name }, host);
}

/** A model on the context of a session or job. */
export const hostOf = (context: JobContext, close: () => Promise<void>, { modelPath }: Platform): ModelHost => ({
  files: context.files,
  emit: context.emit,
  engine: context.engine,
  ...(context.lost && { lost: context.lost }),
  ...(context.reopen && { reopen: context.reopen }),
  close,
  modelPath,
});

/** Options of `openFolder`. */
interface FolderOptions extends Pick<LoadOptions, 'lora' | 'weights' | 'ensemble'>, LanguageOptions {
  readonly name?: string;
}

/** Loads a model folder from the files `from`; `host` computes and saves. Jobs use it with their context. */
export async function openFolder(
  folder: string,
  from: Pick<ModelHost, 'files' | 'emit'>,
  { lora, weights, ensemble = [], name = folder, ...languages }: FolderOptions = {},
  host?: ModelHost,
): Promise<Model> {
  const { sourceLang, targetLang } = languages;
  const packed = (weights ?? 'f32') !== 'f32';
  const merged = typeof lora === 'string' && !packed;
  const saved = await openModel(folder, from, merged ? lora : undefined, { sourceLang, targetLang }, packed);
  const computes = host ?? (from as ModelHost);
  if (ensemble.length > 0) {
    check(merged || lora === undefined, 'an ensemble has no LoRA adapters that switch; merge them, in f32');
    const { openEnsemble } = await import('./ensemble-model.ts');
    const open = (other: string) => openModel(other, computes, undefined, { sourceLang, targetLang }, packed);
    return openEnsemble(saved, ensemble, open, computes, { weights, name });
  }
  const parameters = await storedAs(saved.config, weights);
  const model = createModel(saved, computes, { weights, name, parameters });
  if (merged || lora === undefined) return model;
  const named = typeof lora === 'string' ? { [lora]: lora } : lora;
  for (const [own, path] of Object.entries(named)) await model.addLora(own, path);
  if (typeof lora === 'string') model.useLora(lora);
  return model;
}

/** The parameters in a weight format, whose code is loaded for it; undefined for f32. */
async function storedAs(config: ModelConfig, format: WeightFormat = 'f32'): Promise<ParameterList | undefined> {
  if (format === 'f32') return undefined;
  return (await import('../model/quantized-parameters.ts')).quantizedParameters(parameterList(config), format);
}

/** Files with a model, and its folder in them. */
interface FoundModel {
  readonly files: Files;
  readonly folder: string;
}

async function findModel(
  where: string | Blob,
  files: Files,
  platform: Platform,
  options: LoadOptions,
): Promise<FoundModel> {
  const { signal = new AbortController().signal } = options;
  if (typeof where !== 'string') {
    check(where instanceof Blob, 'loadModel: give a name, a path, a URL, a File or a Blob');
    const name = where instanceof File ? where.name : 'the Blob';
    return unpacked(new Uint8Array(await where.arrayBuffer()), name);
  }
  if (/^(?:https?|blob|data):/.test(where)) return fromUrl(where, signal);
  const path = platform.modelPath(where);
  for (const place of [path, `${path}.previous`]) if (await files.exists(place)) return { files, folder: path };
  const place = /^(Dawn|Deno)$/.test(platform.host)
    ? `folder or file ${where}`
    : `model ${where} in the browser's storage`;
  check(
    /^[\w.-]+\/[\w.-]+$/.test(where) && !where.startsWith('.'),
    `loadModel: there is no ${place}; a model on the hub is OWNER/NAME, as facebook/bart-base`,
  );
  return fromHub(where, files, platform, options, signal, place);
}

async function unpacked(bytes: Uint8Array, name: string): Promise<FoundModel> {
  const parts = await (await import('../files/archive-files.ts')).unpackModelFile(bytes, name);
  const files = memoryFiles(new Map(Object.entries(parts).map(([file, data]) => [`${name}/${file}`, data])));
  return { files, folder: name };
}

/** A model on the hub, from the cache or downloaded into it. A download that stops continues at the next call. */
async function fromHub(
  name: string,
  files: Files,
  platform: Platform,
  { revision = 'main', hub = platform.hub, token = platform.hubToken, onDownload = () => undefined }: LoadOptions,
  signal: AbortSignal,
  place: string,
): Promise<FoundModel> {
  const [{ pull }, { repository }] = await Promise.all([
    import('../hub/pull-model.ts'),
    import('../hub/repository.ts'),
  ]);
  const from = repository(name, revision, hub);
  const key = `${from.base === platform.hub ? '' : `${new URL(from.base).host}--`}${name}--${revision}`;
  const folder = platform.cachePath(`hub/${key.replaceAll('/', '--').replaceAll(':', '-')}`);
  if (await files.exists(folder)) return { files, folder };
  const hints = {
    resume: 'call loadModel again to continue the download',
    access: "pass { token }, an access token from the hub's settings",
    revision: "{ revision: 'refs/pr/1' }",
  };
  const http = {
    fetch: fetch.bind(globalThis),
    token,
    signal,
    idleTimeout: 60_000,
    retryDelay: 500,
    maxRetries: 5,
    hints,
  };
  try {
    await pull(files, http, from, folder, onDownload);
  } catch (error) {
    if (!(error instanceof HeddleError)) throw error;
    throw new HeddleError(`loadModel: there is no ${place}, and from the hub: ${error.message}`, { cause: error });
  }
  return { files, folder };
}

/** A model at a URL: one file, or a folder whose files have their usual names. */
async function fromUrl(url: string, signal: AbortSignal): Promise<FoundModel> {
  const { pathname, protocol } = new URL(url);
  const read = async (address: string): Promise<Uint8Array | undefined> => {
    const response = await fetch(address, { signal }).catch((error: Error) => {
      signal.throwIfAborted();
      throw new HeddleError(`${address}: the request failed (${error.message})`, { cause: error });
    });
    // A server of single-page applications answers with a page for what it does not have.
    const isPage = /\btext\/html\b/.test(response.headers.get('Content-Type') ?? '');
    if (response.status === 404 || (response.ok && isPage)) return undefined;
    check(response.ok, () => `${address}: the server answers ${response.status} ${response.statusText}`);
    return new Uint8Array(await response.arrayBuffer());
  };
  if (protocol === 'blob:' || protocol === 'data:' || /\.(?:zip|safetensors)$/i.test(pathname)) {
    const bytes = await read(url);
    check(bytes, `${url}: there is no such file (404)`);
    return unpacked(bytes, decodeURIComponent(pathname.split('/').pop() || 'the file'));
  }
  const folder = url.replace(/\/+$/, '');
  const seen = new Map<string, Promise<Uint8Array | undefined>>();
  const get = (path: string) => {
    const bytes = seen.get(path) ?? read(path);
    seen.set(path, bytes);
    return bytes;
  };
  const readOnly = async () => check(false, `${url}: files at a URL are only read`);
  const files: Files = {
    async read(path) {
      const bytes = await get(path);
      check(bytes, `${path}: there is no such file (404)`);
      return bytes;
    },
    exists: async (path) => path === folder || (path.startsWith(`${folder}/`) && (await get(path)) !== undefined),
    list: async () => [],
    write: readOnly,
    rename: readOnly,
    remove: readOnly,
  };
  check(await files.exists(`${folder}/${modelFileNames.config}`), `${url}: there is no ${modelFileNames.config} in it`);
  return { files, folder };
}
