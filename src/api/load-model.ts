// Loads a model from the hub, a folder, a zip archive or safetensors file, a URL, a File or Blob, the files of a
// folder, or the browser's storage.

import { untilAborted } from '../core/until-aborted.ts';
import type { FolderSource } from '../files/given-files.ts';
import { parameterList } from '../model/parameters.ts';
import { currentHost } from '../session/host.ts';
import { openModel } from '../session/open-model.ts';
import { Session } from '../session/session.ts';
import type { FolderOptions, LoadOptions } from './load-options.ts';
import { Model } from './model.ts';
import type { FoundModel } from './remote-models.ts';

/** What a call without options does not load. */
const variants = () => import('./open-variant.ts');

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
  if (Object.keys(options)[0]) (await variants()).checkLoadOptions(options);
  return untilAborted(
    options.signal,
    () => load(where, options),
    (late) => late.dispose(),
  );
}

async function load(where: FolderSource, options: LoadOptions): Promise<Model> {
  const session = new Session(currentHost(), options);
  const { files, folder, isChecked } = await findModel(where, session, options);
  const name = typeof where === 'string' ? where : folder;
  return openFolder(folder, session, { ...options, name, files, isChecked, ownsSession: true });
}

/** Loads a model folder; the model computes and saves on `session`. */
export async function openFolder(
  folder: string,
  session: Session,
  options: FolderOptions = {},
): Promise<Model> {
  const {
    sourceLang,
    targetLang,
    lora,
    ensemble = [],
    weights = 'f32',
    inMemory,
    name = folder,
    files = session.files,
  } = options;
  if (lora !== undefined || ensemble.length > 0 || weights !== 'f32' || session.memoryBudget)
    return (await variants()).openVariant(folder, session, options);
  const saved = await openModel(
    folder,
    { files, emit: session.emit },
    { sourceLang, targetLang, inParts: inMemory === undefined ? 'large' : !inMemory },
  );
  const parameters = parameterList(saved.config);
  return new Model(saved, session, { name, parameters, ownsSession: options.ownsSession });
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
