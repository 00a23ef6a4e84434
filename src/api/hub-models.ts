// Loads models from the hub, or from another source that a guest brings, into the cache or a folder.

import { check, HeddleError, reasonOf, renamedError } from '../core/errors.ts';
import { type Message, msg } from '../core/message.ts';
import type { Files } from '../files/files.ts';
import type { HttpOptions } from '../files/hub/http.ts';
import { type PulledModel, pull } from '../files/hub/pull-model.ts';
import { repository } from '../files/hub/repository.ts';
import { readJson } from '../files/json-files.ts';
import { modelFileNames } from '../files/model-file.ts';
import { allFormats } from '../formats/main-formats.ts';
import { loadModelFolder } from '../formats/model-folder.ts';
import type { ModelConfig } from '../model/model-config.ts';
import type { WeightFormat, WeightStorage } from '../model/quantized-parameters.ts';
import type { Features } from '../session/feature-table.ts';
import type { Host, ModelPlace } from '../session/host.ts';
import type { Session } from '../session/session.ts';
import { checkMemory } from './memory-needs.ts';
import { checkConfig, type OnConfig } from './read-config.ts';
import type { DownloadOptions, FoundModel } from './remote-models.ts';

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
  readonly onMessage?: (text: string, template?: Message) => void;
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

/** Advice for callers of the library. */
const callHints = {
  resume: msg`call it again to resume the download`,
  access: msg`pass { token }, an access token from the hub's settings`,
  revision: msg`{ revision: 'refs/pr/1' }`,
  unreachable: msg`check the network, or pass { hub }, the URL of a mirror`,
};

/**
 * A model on the hub, downloaded into the cache if it is not there. The next call resumes a stopped download.
 * Throws a HeddleError if the name is no name on the hub.
 */
export async function fromHub(
  name: string,
  session: Session,
  given: DownloadOptions & WeightStorage & { readonly inMemory?: boolean },
): Promise<FoundModel> {
  const { files, host } = session;
  const hasDisk = /^(Dawn|Deno)$/.test(host.name);
  const place = hasDisk ? msg`folder or file ${name}` : msg`model ${name} in the browser's storage`;
  check(
    /^[\w.-]+\/[\w.-]+$/.test(name) && !name.startsWith('.'),
    !hasDisk && /^\.{0,2}\//.test(name)
      ? msg`there is no ${place}; a file of the page has a URL: new URL('${name}', location.href).href`
      : msg`there is no ${place}; write a model on the hub as OWNER/NAME, for example facebook/bart-base`,
    { kind: 'not-found', area: 'loadModel' },
  );
  const { revision = 'main', hub = host.hub, token = host.hubToken, onDownload = () => undefined } = given;
  const from = repository(name, revision, hub);
  const key = `${from.base === host.hub ? '' : `${new URL(from.base).host}--`}${name}--${revision}`;
  const folder = host.cachePath(`hub/${key.replaceAll('/', '--').replaceAll(':', '-')}`);
  if (await files.exists(folder)) return { files, folder };
  try {
    const { weights, weightsExclude, inMemory, signal } = given;
    const onConfig = (config: ModelConfig) =>
      checkMemory(name, config, session, { weights, weightsExclude }, inMemory);
    const options = { revision, hub, signal, token, onDownload, onConfig };
    await downloadModel(name, files, folder, host, options, session.features);
  } catch (error) {
    if (!(error instanceof HeddleError) || error.kind === 'memory') throw error;
    throw new HeddleError(msg`there is no ${place}, and from the hub: ${reasonOf(error)}`, {
      area: 'loadModel',
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
        await checkConfig(files, part, options.onConfig);
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
