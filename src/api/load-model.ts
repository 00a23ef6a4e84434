// Loads a model from the hub, a folder, a zip archive or safetensors file, a URL, a File or Blob, the files of a
// folder, or the browser's storage.

import { untilAborted } from '../core/until-aborted.ts';
import type { LanguageOptions } from '../decode/text-options.ts';
import type { Files } from '../files/files.ts';
import type { FolderSource } from '../files/given-files.ts';
import { parameterList } from '../model/parameters.ts';
import type { WeightFormat } from '../model/quantized-parameters.ts';
import { currentHost } from '../session/host.ts';
import { openModel } from '../session/open-model.ts';
import { Session, type SessionOptions } from '../session/session.ts';
import { Model } from './model.ts';
import type { DownloadOptions, FoundModel } from './remote-models.ts';

/** Options of `loadModel`. */
export interface LoadOptions extends SessionOptions, LanguageOptions, DownloadOptions {
  /**
   * Folder of a LoRA adapter, or its files, which is merged into f32 weights. Or several LoRA adapters by name,
   * between which `model.useLora` switches.
   */
  readonly lora?: FolderSource | Readonly<Record<string, FolderSource>>;
  /**
   * Folders, or files, of further models with the same vocabulary: an ensemble. Translation, scores and evaluation use
   * the mean probabilities of all models; `attention` and `save` use the first one. All have the format in
   * `weights`.
   */
  readonly ensemble?: readonly FolderSource[];
  /**
   * Format of the weights on the device: f16, int8 and int4 need less memory and are slightly less exact. In int4
   * sensitive layers stay int8. ['f32']
   */
  readonly weights?: WeightFormat;
  /**
   * Whether to keep the weights in JavaScript memory, as `weights()` needs. If not, they are read in parts into
   * GPU memory. [only weights of less than 256 MiB in f32; never f16, int8 and int4]
   */
  readonly inMemory?: boolean;
  /**
   * Globs of layers that stay int8 with int4 weights, and f32 with others: `*.fc1`, `decoder.*`. `auto` stands
   * for the sensitive layers. ['auto']
   */
  readonly weightsExclude?: readonly string[];
}

/**
 * Loads a model of heddle (also one saved for PyTorch or Keras), or an encoder-decoder of Hugging Face (BART,
 * MarianMT, mBART, M2M100, Pegasus, T5, mT5), or a model of Marian or Firefox Translations. The argument is
 *
 * - `OWNER/NAME`, a model on the hub, which is downloaded once and cached;
 * - in Node the path of a folder, a .zip or a .safetensors file;
 * - in a page a name in the browser's storage;
 * - the URL of a folder, a .zip or a .safetensors file; or such a file as a File or Blob;
 * - the files of a folder, as File objects.
 *
 * Throws a HeddleError if there is no such model, or it is invalid or not supported, and the signal's reason if
 * it is aborted.
 * @example
 * const bart = await loadModel('facebook/bart-base');
 * const mine = await loadModel('out', { weights: 'int8' });
 */
export async function loadModel(where: FolderSource, options: LoadOptions = {}): Promise<Model> {
  return untilAborted(
    options.signal,
    () => load(where, options),
    (late) => late.dispose(),
  );
}

async function load(where: FolderSource, options: LoadOptions): Promise<Model> {
  const session = new Session(currentHost(), options);
  const { files, folder } = await findModel(where, session, options);
  const name = typeof where === 'string' ? where : folder;
  return openFolder(folder, session, { ...options, name, files, ownsSession: true });
}

/** Options of `openFolder`. */
interface FolderOptions
  extends Pick<LoadOptions, 'lora' | 'weights' | 'weightsExclude' | 'ensemble' | 'inMemory'>,
    LanguageOptions {
  readonly name?: string;
  /** Files with the folder. [those of the session] */
  readonly files?: Files;
  /** Whether the model closes the session when it is disposed. [false] */
  readonly ownsSession?: boolean;
}

/** Loads a model folder; the model computes and saves on `session`. */
export async function openFolder(
  folder: string,
  session: Session,
  {
    lora,
    ensemble = [],
    inMemory,
    name = folder,
    files = session.files,
    ownsSession,
    sourceLang,
    targetLang,
    ...storage
  }: FolderOptions = {},
): Promise<Model> {
  const quantized = (storage.weights ?? 'f32') !== 'f32';
  const isOne = typeof lora === 'string' || Array.isArray(lora) || lora instanceof Blob;
  const single = isOne ? (lora as FolderSource) : undefined;
  const merged = single !== undefined && !quantized;
  const inParts = quantized || (inMemory === undefined ? 'large' : !inMemory);
  const options = { sourceLang, targetLang, inParts } as const;
  const place = { files, emit: session.emit };
  const base = await openModel(folder, place, {
    ...options,
    inParts: !merged && inParts,
    verifyLater: true,
  });
  const saved = merged ? await (await import('./model-loras.ts')).mergedLora(session, base, single) : base;
  if (session.memoryBudget)
    await (await import('./memory-needs.ts')).checkMemory(name, saved.config, session, storage, inMemory);
  if (ensemble.length > 0) {
    const { openMembers } = await import('./ensemble-model.ts');
    const switches = !merged && lora !== undefined;
    return openMembers(saved, ensemble, session, options, { ...storage, name, ownsSession, switches });
  }
  const parameters = quantized
    ? (await import('../model/quantized-parameters.ts')).storedParameters(saved.config, storage)
    : parameterList(saved.config);
  const model = new Model(saved, session, { name, parameters, ownsSession });
  if (merged || lora === undefined) return model;
  return (await import('./model-loras.ts')).addLoras(model, lora, single);
}

/** Finds the files of a model: in the session's files, at a URL, in a Blob or on the hub. */
async function findModel(where: FolderSource, session: Session, options: LoadOptions): Promise<FoundModel> {
  const { host, files } = session;
  if (typeof where === 'string' && !/^(?:https?|blob|data):/.test(where)) {
    const folder = host.modelPath(where);
    if (await files.exists(folder)) return { files, folder };
  }
  return (await import('./remote-models.ts')).findRemote(where, session, options);
}
