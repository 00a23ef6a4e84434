// Loads a model from the hub, a folder, a zip archive or safetensors file, a URL, a File or Blob, or the
// browser's storage.

import { check } from '../core/errors.ts';
import type { Files } from '../files/files.ts';
import type { LanguageOptions } from '../formats/hf/languages.ts';
import { parameterList } from '../model/parameters.ts';
import type { WeightFormat } from '../model/quantized-parameters.ts';
import type { JobContext } from '../session/job.ts';
import { openModel } from '../session/open-model.ts';
import { createModel } from './model.ts';
import type { ModelHost } from './model-engine.ts';
import type { Model } from './model-types.ts';
import { currentPlatform, type Platform } from './platform.ts';
import type { DownloadOptions, FoundModel } from './remote-models.ts';
import { openSession, type SessionOptions } from './session.ts';

/** Options of `loadModel`. */
export interface LoadOptions extends SessionOptions, LanguageOptions, DownloadOptions {
  /**
   * Folder of a LoRA adapter, which is merged into f32 weights. Or several LoRA adapters, name to folder,
   * between which `model.useLora` switches.
   */
  readonly lora?: string | Readonly<Record<string, string>>;
  /**
   * Folders of further models with the same vocabulary: an ensemble. Translation, scores and evaluation use
   * the mean probabilities of all models; `attention` and `save` use the first one. All have the format in
   * `weights`.
   */
  readonly ensemble?: readonly string[];
  /**
   * Format of the weights on the device: f16 and int8 need less memory and are slightly less exact. ['f32']
   */
  readonly weights?: WeightFormat;
}

/**
 * Loads a model of heddle (also one saved for PyTorch or Keras), or an encoder-decoder of Hugging Face (BART,
 * MarianMT, mBART, M2M100, Pegasus, T5, mT5). The argument is
 *
 * - `OWNER/NAME`, a model on the hub, which is downloaded once and cached;
 * - in Node the path of a folder, a .zip or a .safetensors file;
 * - in a page a name in the browser's storage;
 * - the URL of a folder, a .zip or a .safetensors file; or such a file as a File or Blob.
 *
 * Throws a HeddleError if there is no such model, or it is invalid or not supported.
 * @example
 * const bart = await loadModel('facebook/bart-base');
 * const mine = await loadModel('out', { weights: 'int8' });
 */
export async function loadModel(where: string | Blob, options: LoadOptions = {}): Promise<Model> {
  const { context, close } = openSession(options);
  const platform = currentPlatform();
  const host: ModelHost = modelHost(context, close, platform);
  const { files, folder } = await findModel(where, context.files, platform, options);
  const name = typeof where === 'string' ? where : folder;
  return openFolder(folder, files === context.files ? host : { ...host, files }, { ...options, name }, host);
}

/** A model and the context of its session or job. */
export const modelHost = (
  context: JobContext,
  close: () => Promise<void>,
  { modelPath }: Platform,
): ModelHost => ({
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

/** Loads a model folder from the files `from`; `host` computes and saves. Jobs pass their context. */
export async function openFolder(
  folder: string,
  from: Pick<ModelHost, 'files' | 'emit'>,
  { lora, weights = 'f32', ensemble = [], name = folder, sourceLang, targetLang }: FolderOptions = {},
  host?: ModelHost,
): Promise<Model> {
  const quantized = weights !== 'f32';
  const merged = typeof lora === 'string' && !quantized;
  const options = { sourceLang, targetLang, inParts: quantized };
  const saved = await openModel(folder, from, { ...options, lora: merged ? lora : undefined });
  const computes = host ?? (from as ModelHost);
  if (ensemble.length > 0) {
    check(
      merged || lora === undefined,
      'an ensemble cannot switch LoRA adapters; give one adapter (a folder) and weights f32, which merges it',
    );
    const { openEnsemble } = await import('./ensemble-model.ts');
    const open = (other: string) => openModel(other, computes, options);
    return openEnsemble(saved, ensemble, open, computes, { weights, name });
  }
  const plain = parameterList(saved.config);
  const parameters = quantized
    ? (await import('../model/quantized-parameters.ts')).quantizedParameters(plain, weights)
    : plain;
  const model = createModel(saved, computes, { name, parameters });
  if (merged || lora === undefined) return model;
  const named = typeof lora === 'string' ? { [lora]: lora } : lora;
  for (const [own, path] of Object.entries(named)) await model.addLora(own, path);
  if (typeof lora === 'string') model.useLora(lora);
  return model;
}

async function findModel(
  where: string | Blob,
  files: Files,
  platform: Platform,
  options: LoadOptions,
): Promise<FoundModel> {
  const { signal = new AbortController().signal } = options;
  const remote = () => import('./remote-models.ts');
  if (typeof where !== 'string') {
    check(where instanceof Blob, 'loadModel: give a name, a path, a URL, a File or a Blob');
    const name = where instanceof File ? where.name : 'the Blob';
    return (await remote()).unpacked(new Uint8Array(await where.arrayBuffer()), name);
  }
  if (/^(?:https?|blob|data):/.test(where)) return (await remote()).fromUrl(where, signal);
  const path = platform.modelPath(where);
  for (const place of [path, `${path}.previous`])
    if (await files.exists(place)) return { files, folder: path };
  const place = /^(Dawn|Deno)$/.test(platform.host)
    ? `folder or file ${where}`
    : `model ${where} in the browser's storage`;
  check(
    /^[\w.-]+\/[\w.-]+$/.test(where) && !where.startsWith('.'),
    `loadModel: there is no ${place}; write a model on the hub as OWNER/NAME, for example facebook/bart-base`,
  );
  return (await remote()).fromHub(where, files, platform, options, signal, place);
}
