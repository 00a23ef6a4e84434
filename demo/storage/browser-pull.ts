// Downloads a model from a hub, or of Firefox Translations, into the folder `pulls/NAME` of the browser's storage. An
// interrupted download continues there. A complete and valid one becomes `models/NAME` by one rename.

import { msg } from '../../src/core/message.ts';
import { HeddleError, type PullOptions, pullModel } from '../../src/entries/heddle.ts';
import type { ErrorHints, Files, PullProgress } from '../../src/entries/host.ts';
import { hubOrigin } from '../content-security-policy.ts';
import { LockedError, withModelLock } from './model-locks.ts';
import { isModelName } from './model-names.ts';
import { ExistsError, type ModelStore, modelFolder, partialFolder } from './model-store.ts';

/** What error messages suggest to do. */
const hints: ErrorHints = {
  resume: msg`press Download to continue`,
  access: msg`download it with heddle pull, which accepts an access token, pack it with heddle convert --pack and import the file`,
  revision: msg`OWNER/NAME@refs/pr/1`,
  unreachable: msg`check the network connection, then press Download again`,
};

/** Where a model is: its name, and the address of a release of Firefox Translations, if it has one. */
interface Place {
  readonly model: string;
  readonly registry?: string;
  readonly baseUrl?: string;
}

/** The place in a text: `OWNER/NAME`, `en-es`, or `ADDRESS#en-es` with the address of a record (.json) or of files. */
function placeIn(text: string): Place {
  const [, address, model] = /^\s*(https?:\/\/[^#\s]+)#(.*)$/.exec(text) ?? [];
  if (address === undefined || model === undefined) return { model: text };
  return address.endsWith('.json') ? { model, registry: address } : { model, baseUrl: address };
}

/**
 * Downloads `OWNER/NAME` or `OWNER/NAME@REVISION` from the hub at the URL `hub`, or from Hugging Face if that
 * server is not a hub; or a pair of languages of Firefox Translations, `en-es` or `ADDRESS#en-es`. Returns the name
 * of the model in the browser. The next call continues an incomplete download, unless a checksum is wrong or the
 * model cannot be read. Throws an ExistsError before the first request if the name is taken, a LockedError if another
 * tab is downloading it, the HeddleErrors of the library's `pullModel`, and the signal's reason.
 */
export async function pullToBrowser(
  files: Files,
  store: Pick<ModelStore, 'exists'>,
  web: Pick<PullOptions, 'fetch' | 'signal' | 'idleTimeout' | 'retryDelay' | 'maxRetries' | 'fallbackHub'>,
  given: string,
  hub: string,
  onDownload: (progress: PullProgress) => void,
): Promise<string> {
  const { model, ...release } = placeIn(given);
  const name = localName(model);
  if (await store.exists(name))
    throw new ExistsError(
      msg`A model ${name} is already in this browser; delete or rename it to download it again.`,
    );
  const options = {
    files,
    hub,
    fallbackHub: hubOrigin,
    hints,
    partial: partialFolder(name),
    check: true,
    onDownload,
    ...release,
  };
  try {
    await withModelLock(name, () => pullModel(model, modelFolder(name), { ...options, ...web }));
  } catch (error) {
    if (error instanceof LockedError)
      throw new LockedError(msg`${name} is being downloaded or trained already.`);
    throw error;
  }
  return name;
}

/** Returns NAME of `OWNER/NAME@REVISION`, or a pair of languages, as a valid model name. */
function localName(model: string): string {
  const [, repository = ''] = /^\s*(?:[^/@]+\/|(?=[a-z_]+-[a-z_]+\s*(?:@|$)))([^@]*)/.exec(model) ?? [];
  const name = repository
    .trim()
    .replace(/\.{2,}/g, '.')
    .slice(0, 60)
    .replace(/^\.|\.$/g, '');
  if (!isModelName(name))
    throw new HeddleError(
      msg`"${model}" is not the name of a model; write OWNER/NAME, for example Helsinki-NLP/opus-mt-en-es`,
    );
  return name;
}
