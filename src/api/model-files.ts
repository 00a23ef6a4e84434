// Saved models as files: their configuration, archives with checkpoint and log, imports, and downloads from
// the hub.

import { check, checkSignal } from '../core/errors.ts';
import { checkNames } from '../core/fields.ts';
import { msg } from '../core/message.ts';
import { untilAborted } from '../core/until-aborted.ts';
import type { FolderSource } from '../files/given-files.ts';
import type { PulledModel } from '../files/hub/pull-model.ts';
import { readJson } from '../files/json-files.ts';
import { packFolder } from '../files/model-archives.ts';
import { modelFileNames } from '../files/model-file.ts';
import { writeFolder } from '../files/owned-folder.ts';
import { verifyFolder } from '../files/verified-files.ts';
import { loadModelFolder } from '../formats/model-folder.ts';
import { heddleFiles } from '../formats/save-heddle.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { parameterList } from '../model/parameters.ts';
import { sourceKindOf } from '../model/source-kind.ts';
import { type Features, noFeatures } from '../session/feature-table.ts';
import { currentHost, type ModelPlace, placeOf } from '../session/host.ts';
import { openPlace } from '../session/open-place.ts';
import { emitTo, type SessionEvent } from '../session/session-event.ts';
import type { PullOptions } from './hub-models.ts';
import { later } from './load-model.ts';
import { checkMemory } from './memory-needs.ts';
import { readConfig } from './read-config.ts';
import { fromBlobs } from './remote-models.ts';

/** `placeOf`, with an error that starts with the call if a caller gives no name. */
function placeNamed(area: string, name: string, place: ModelPlace): ReturnType<typeof placeOf> {
  check(typeof name === 'string' && name !== '', () => msg`name is ${name}, it must be a text`, { area });
  return placeOf(name, place);
}

/** Size of a model. */
export interface ModelFacts {
  /** Configuration of the model. */
  readonly config: ModelConfig;
  /** Number of weights. */
  readonly parameters: number;
}

/** `readModelFacts` of the library, with the guests that the caller has. */
export async function readModelFacts(
  model: FolderSource,
  place: ModelPlace = {},
  features: Features = noFeatures,
): Promise<ModelFacts> {
  const { files, folder } = await openPlace('readModelFacts', model, place);
  const path = `${folder}/${modelFileNames.config}`;
  const config = await readConfig(await readJson(files, path), path);
  return {
    config,
    parameters: parameterList(config, await sourceKindOf(config, features.sourceKinds)).count,
  };
}

/**
 * Packs a saved model into a .zip archive with all its files: checkpoint and log too, unlike `Model.toBlob`.
 *
 * @example
 * const archive = await packModel('out');
 */
export async function packModel(model: FolderSource, place: ModelPlace = {}): Promise<Blob> {
  const { files, folder } = await openPlace('packModel', model, place);
  return new Blob((await packFolder(files, folder)) as BlobPart[], { type: 'application/zip' });
}

/** `importModel` of the library, with the guests that the caller has. */
export async function importModel(
  file: Blob | readonly File[],
  name: string,
  place: ModelPlace = {},
  features: Features = noFeatures,
): Promise<void> {
  checkNames({ area: 'importModel' }, ['files'], Object.keys(place));
  const { files, folder } = placeNamed('importModel', name, place);
  const found = await fromBlobs(file);
  const model = await loadModelFolder(found.files, found.folder, features);
  await verifyFolder(found.files, found.folder); // the copy has new checksums
  const names = await found.files.list(found.folder);
  const parts: Record<string, Uint8Array> = {};
  if (names.includes(modelFileNames.config))
    for (const each of names) parts[each] = await found.files.read(`${found.folder}/${each}`);
  else Object.assign(parts, heddleFiles(model));
  await writeFolder(files, folder, parts);
}

/** The names of all options of pullModel. */
const pullOptions: Readonly<Record<keyof PullOptions, true>> = {
  files: true,
  revision: true,
  hub: true,
  token: true,
  signal: true,
  onDownload: true,
  fetch: true,
  idleTimeout: true,
  retryDelay: true,
  maxRetries: true,
  hints: true,
  fallbackHub: true,
  partial: true,
  memoryBudget: true,
  weights: true,
  onMessage: true,
  check: true,
  registry: true,
  baseUrl: true,
};

/** `pullModel` of the library, with the guests that the caller has. */
export async function pullModel(
  model: string,
  name: string,
  options: PullOptions = {},
  features: Features = noFeatures,
): Promise<PulledModel> {
  checkNames({ area: 'pullModel' }, Object.keys(pullOptions), Object.keys(options));
  checkSignal(options.signal);
  return untilAborted(options.signal, async () => {
    const { files, folder } = placeNamed('pullModel', name, options);
    const { memoryBudget, weights, onMessage } = options;
    const emit = emitTo(
      (event: SessionEvent) => event.type === 'message' && onMessage?.(event.text, event.template),
    );
    const onConfig = (config: ModelConfig) =>
      checkMemory(model, config, { memoryBudget, emit, features }, { weights });
    const { downloadModel } = await later.hub();
    return downloadModel(model, files, folder, currentHost(), { ...options, onConfig }, features);
  });
}
