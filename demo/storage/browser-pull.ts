// A model from a hub into the browser: it comes into `pulls/NAME`, where it waits for the rest when a connection or a tab is closed,
// and becomes `models/NAME` in one step once it is whole and can be read.

import { HeddleError } from '../../src/core/errors.ts';
import type { Files } from '../../src/files/files.ts';
import { readJson } from '../../src/files/json-files.ts';
import { readHfConfig } from '../../src/formats/hf/hf-config.ts';
import { loadModelFolder } from '../../src/formats/model-folder.ts';
import type { ErrorHints, HttpOptions } from '../../src/hub/http.ts';
import { type PullProgress, pull } from '../../src/hub/pull-model.ts';
import { repository } from '../../src/hub/repository.ts';
import { LockedError, withModel } from './model-locks.ts';
import { isModelName } from './model-names.ts';
import { ExistsError, folderOf, type ModelStore, waitingOf } from './model-store.ts';

/** What errors tell a visitor to do. */
const hints: ErrorHints = {
  resume: 'Fetch goes on with it',
  access: 'fetch it with heddle pull, which takes an access token, then heddle pack it and import the file',
  revision: 'OWNER/NAME@refs/pr/1',
  noHub:
    'the page asks its own server alone, and that does not pass hub/ on to a hub. Open the page by npm run dev or npm run preview, have the server pass hub/ on to https://huggingface.co, or fetch the model with heddle pull, then heddle pack it and import the file',
};

/** Patience with a hub, as the command has it. */
const patient = { idleTimeout: 60_000, retryDelay: 500, maxRetries: 5 } as const;

/**
 * Fetches `OWNER/NAME`, or `OWNER/NAME@REVISION`, from the hub at the address `hub`; gives the model's name in the browser. What has
 * come when it fails is kept for the next call, but for files whose checksum is wrong and models that cannot be read. Throws an
 * ExistsError, before anything is asked for, where a model of that name is there, a LockedError where another tab fetches it, a
 * HeddleError as `pull` and `loadModelFolder` do, and the signal's reason.
 */
export async function pullModel(
  files: Files,
  store: Pick<ModelStore, 'exists'>,
  web: Pick<HttpOptions, 'fetch' | 'signal'> & Partial<HttpOptions>,
  model: string,
  hub: string,
  onProgress: (progress: PullProgress) => void,
): Promise<string> {
  const [, path = '', revision = 'main'] = /^([^@]*)(?:@(.*))?$/.exec(model.trim()) ?? [];
  const from = repository(path, revision, hub);
  const name = localName(from.name);
  if (await store.exists(name))
    throw new ExistsError(`A model ${name} is in this browser already; delete or rename it to fetch it anew.`);
  const options = {
    partial: waitingOf(name),
    check: (folder: string, file?: string) =>
      (file === undefined ? loadModelFolder(files, folder) : checkEarly(files, `${folder}/${file}`)).catch((error) => {
        // Where it lies meanwhile is nobody's concern.
        if (!(error instanceof HeddleError)) throw error;
        throw new HeddleError(error.message.replaceAll(folder, from.name), { cause: error });
      }),
  };
  try {
    await withModel(name, () => pull(files, { ...patient, hints, ...web }, from, folderOf(name), onProgress, options));
  } catch (error) {
    if (error instanceof LockedError) throw new LockedError(`${name} is being fetched or trained already.`);
    throw error;
  }
  return name;
}

/** Refuses a model by its configuration, before its weights come. */
async function checkEarly(files: Files, path: string): Promise<unknown> {
  if (!path.endsWith('/config.json')) return undefined;
  const raw = await readJson(files, path);
  return raw.model_type === undefined ? undefined : readHfConfig(raw, undefined, undefined, path);
}

/** NAME of `OWNER/NAME`, in what a model can be called here. */
function localName(repository: string): string {
  const name = (repository.split('/')[1] ?? '')
    .replace(/\.{2,}/g, '.')
    .slice(0, 60)
    .replace(/^\.|\.$/g, '');
  if (!isModelName(name)) throw new HeddleError(`${repository}: its name cannot be a model's name here`);
  return name;
}
