// Downloads a model from a hub into the browser: into `pulls/NAME`, where an interrupted download can be continued, and
// then, once it is complete and valid, by one rename into `models/NAME`.

import { readJson } from '../../src/files/json-files.ts';
import { readHfConfig } from '../../src/formats/hf/hf-config.ts';
import { loadModelFolder } from '../../src/formats/model-folder.ts';
import type { ErrorHints, HttpOptions } from '../../src/hub/http.ts';
import { pull } from '../../src/hub/pull-model.ts';
import { repository } from '../../src/hub/repository.ts';
import { type Files, HeddleError, type PullProgress } from '../../src/index.ts';
import { LockedError, withModelLock } from './model-locks.ts';
import { isModelName } from './model-names.ts';
import { ExistsError, type ModelStore, modelFolder, partialFolder } from './model-store.ts';

/** Advice in error messages. */
const hints: ErrorHints = {
  resume: 'Download continues it',
  access: 'download it with heddle pull, which accepts an access token, pack it with heddle pack and import the file',
  revision: 'OWNER/NAME@refs/pr/1',
  noHub:
    'the page only requests its own server, which has no proxy to a hub at hub/. Whoever runs the server can pass hub/ on to https://huggingface.co. Without that, download the model with heddle pull, pack it with heddle pack and import the file',
};

/** Timeout and retries, as for `heddle pull`. */
const retries = { idleTimeout: 60_000, retryDelay: 500, maxRetries: 5 } as const;

/**
 * Downloads `OWNER/NAME` or `OWNER/NAME@REVISION` from the hub at the URL `hub`; returns the name of the model in the
 * browser. An incomplete download is kept and continued by the next call, unless a checksum is wrong or the model
 * cannot be read. Throws an ExistsError before the first request if the name is taken, a LockedError if another tab is
 * downloading it, a HeddleError as `pull` and `loadModelFolder` do, and the signal's reason.
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
    throw new ExistsError(`A model ${name} is already in this browser; delete or rename it to download it again.`);
  const options = {
    partial: partialFolder(name),
    check: (folder: string, file?: string) =>
      (file === undefined ? loadModelFolder(files, folder) : checkEarly(files, `${folder}/${file}`)).catch((error) => {
        // Name the model, not the temporary folder.
        if (!(error instanceof HeddleError)) throw error;
        throw new HeddleError(error.message.replaceAll(folder, from.name), { cause: error });
      }),
  };
  try {
    await withModelLock(name, () =>
      pull(files, { ...retries, hints, ...web }, from, modelFolder(name), onProgress, options),
    );
  } catch (error) {
    if (error instanceof LockedError) throw new LockedError(`${name} is being downloaded or trained already.`);
    throw error;
  }
  return name;
}

/** Checks the configuration before the weights are downloaded. */
async function checkEarly(files: Files, path: string): Promise<unknown> {
  if (!path.endsWith('/config.json')) return undefined;
  const raw = await readJson(files, path);
  return raw.model_type === undefined ? undefined : readHfConfig(raw, undefined, undefined, path);
}

/** Returns NAME of `OWNER/NAME` as a valid model name. */
function localName(repository: string): string {
  const name = (repository.split('/')[1] ?? '')
    .replace(/\.{2,}/g, '.')
    .slice(0, 60)
    .replace(/^\.|\.$/g, '');
  if (!isModelName(name)) throw new HeddleError(`${repository}: its name is not a valid model name`);
  return name;
}
