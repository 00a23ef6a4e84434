// Loads a model from the hub, a folder, a zip archive or safetensors file, a URL, a File or Blob, the files of a
// folder, or the browser's storage.

import { untilAborted } from '../core/until-aborted.ts';
import type { FolderSource } from '../files/given-files.ts';
import { parameterList } from '../model/parameters.ts';
import type { WeightStorage } from '../model/quantized-parameters.ts';
import { type Features, noFeatures } from '../session/feature-table.ts';
import { currentHost } from '../session/host.ts';
import { openModel } from '../session/open-model.ts';
import { Session } from '../session/session.ts';
import { checkLoadOptions, type FolderOptions, type LoadOptions } from './load-options.ts';
import type { BaseModel, ModelMaker } from './model.ts';
import { type Model, textModel } from './model.ts';
import type { DownloadOptions, FoundModel } from './remote-models.ts';

/** What only some calls need, loaded then. */
export const later = {
  /** LoRA adapters, ensembles, quantized weights and memory budgets. */
  variants: () => import('./open-variant.ts'),
  /** Models at a URL, and in a File or Blob. */
  remote: () => import('./remote-models.ts'),
  /** Models on the hub. */
  hub: () => import('./hub-models.ts'),
};

/** `loadModel` of the library, with the guests that the caller has. */
export const loadModel = (
  where: FolderSource,
  options: LoadOptions = {},
  features: Features = noFeatures,
): Promise<Model> => loadModelAs(textModel, where, options, features);

/** Loads a model of a class that a guest brings. */
export async function loadModelAs<M extends BaseModel>(
  make: ModelMaker<M>,
  where: FolderSource,
  options: LoadOptions,
  features: Features,
): Promise<M> {
  checkLoadOptions(options);
  return untilAborted(
    options.signal,
    () => load(make, where, options, features),
    (late) => late.dispose(),
  );
}

async function load<M extends BaseModel>(
  make: ModelMaker<M>,
  where: FolderSource,
  options: LoadOptions,
  features: Features,
): Promise<M> {
  const session = new Session(currentHost(), { ...options, features });
  const { onDownload } = options;
  const watched = { ...options, onDownload: onDownload && session.callbacks.of(onDownload) };
  return session.callbacks.during(async () => {
    const { files, folder, isChecked } = await findModel(where, session, watched);
    const name = typeof where === 'string' ? where : folder;
    return openFolderAs(make, folder, session, { ...options, name, files, isChecked, ownsSession: true });
  });
}

/** Loads a model folder; the model computes and saves on `session`. */
export const openFolder = (folder: string, session: Session, options: FolderOptions = {}): Promise<Model> =>
  openFolderAs(textModel, folder, session, options);

/** Loads the folder of a model of a class that a guest brings, or of any class. */
export async function openFolderAs<M extends BaseModel>(
  make: ModelMaker<M>,
  folder: string,
  session: Session,
  options: FolderOptions = {},
): Promise<M> {
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
    return (await later.variants()).openVariant(make, folder, session, options);
  const saved = await openModel(
    folder,
    { files, emit: session.emit, features: session.features },
    { sourceLang, targetLang, inParts: inMemory === undefined ? 'large' : !inMemory },
  );
  const parameters = parameterList(saved.config, saved.sourceKind);
  return make(saved, session, { name, parameters, ownsSession: options.ownsSession });
}

/** Finds the files of a model: in the session's files, at a URL, in a Blob or on the hub. */
export async function findModel(
  where: FolderSource,
  session: Session,
  options: DownloadOptions & WeightStorage & { readonly inMemory?: boolean },
): Promise<FoundModel> {
  const { host, files } = session;
  if (typeof where !== 'string') return (await later.remote()).fromBlobs(where);
  if (/^(?:https?|blob|data):/.test(where)) return (await later.remote()).fromUrl(where, session, options);
  const folder = host.modelPath(where);
  if (await files.exists(folder)) return { files, folder };
  return (await later.hub()).fromHub(where, session, options);
}
