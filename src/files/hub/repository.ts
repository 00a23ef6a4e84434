// Repositories on the hub: names, the listing with sizes and checksums, and the selection of files to
// download. Files with other names are never requested or written, no matter what a server lists.

import { sha1 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { check, HeddleError } from '../../core/errors.ts';
import { type Message, msg } from '../../core/message.ts';
import { tokenizerFileNames, weightNames } from '../hf-file-names.ts';
import { isCount, isObject } from '../json-files.ts';
import { errorHints, type HttpOptions, RetryableError, send, statusError, withRetries } from './http.ts';

/** A model on a hub. */
export interface Repository {
  /** `https://huggingface.co`, without a slash at its end. */
  readonly base: string;
  /** `OWNER/NAME`. */
  readonly name: string;
  /** Branch, tag or commit. */
  readonly revision: string;
}

/** Names of the files that heddle reads, apart from the weights of a model. */
const otherNames = [
  'config.json',
  'generation_config.json',
  'adapter_config.json',
  'adapter_model.safetensors',
  ...Object.values(tokenizerFileNames),
  'optimizer.safetensors',
  'preprocessor_config.json',
  'normalizer.json',
];
const { whole, index } = weightNames;
const shard = /^model-\d{1,6}-of-\d{1,6}\.safetensors$/;

/** Names to request from a server without a listing; the first must exist. */
const fallbackNames = ['config.json', whole, index, ...otherNames.slice(1)] as const;

/**
 * A validated repository. Throws a HeddleError if the name is not OWNER/NAME, or revision or base is invalid.
 */
export function repository(name: string, revision: string, base: string): Repository {
  const part = /^(?!\.{1,2}$)[\w.-]{1,96}$/;
  const parts = name.split('/');
  check(
    parts.length === 2 && parts.every((x) => part.test(x)),
    msg`"${name}" is not the name of a model; write OWNER/NAME, for example Helsinki-NLP/opus-mt-en-es`,
    { area: 'pull' },
  );
  check(
    /^[\w./-]{1,200}$/.test(revision) &&
      !revision.split('/').some((x) => x === '' || x === '.' || x === '..'),
    msg`"${revision}" is not a revision; write a branch, a tag or a commit`,
    { area: 'pull' },
  );
  let url: URL;
  try {
    url = new URL(base);
  } catch {
    throw new HeddleError(msg`the hub ${base} is not a URL`, { area: 'pull', kind: 'input' });
  }
  check(/^https?:$/.test(url.protocol), msg`the hub ${base} must be an http or https URL`, { area: 'pull' });
  return { base: `${url.origin}${url.pathname.replace(/\/+$/, '')}`, name, revision };
}

/**
 * Selects the files that heddle reads. Throws a HeddleError if there is no supported model; `revision` is the
 * hint for another revision.
 */
function selectFiles(files: readonly string[], name: string, revision: Message): string[] {
  const has = new Set(files);
  const weights = has.has(whole)
    ? [whole]
    : has.has(index)
      ? [index, ...[...has].filter((x) => shard.test(x))]
      : [];
  const others = otherNames.filter((x) => has.has(x));
  check(
    has.has('config.json') || has.has('adapter_config.json'),
    'it has no config.json; choose a transformers model (BART, MarianMT, T5, ...) or one of heddle train',
    { kind: 'not-found', area: name },
  );
  if (weights.length === 0 && !has.has('adapter_model.safetensors')) {
    const other = [...has].find((x) => /\.(bin|h5|msgpack|npz|onnx|ckpt|pt|pth)$/.test(x));
    throw new HeddleError(
      msg`it has no ${whole}${other === undefined ? '' : msg`, only ${other}`}; weights are read from safetensors. Another revision may have them (${revision}), or convert them with transformers (save_pretrained)`,
      { area: name, kind: 'not-found' },
    );
  }
  return [...others, ...weights];
}

/** Whether a download of a repository may write a file of this name. */
export const isModelFile = (name: string): boolean =>
  shard.test(name) || fallbackNames.some((known) => known === name);

/** Whether a file name is that of a shard. */
export const isShard = (name: string): boolean => shard.test(name);

/** A file to download. */
export interface RemoteFile {
  readonly name: string;
  /** Model and file, for messages. */
  readonly title: string;
  readonly url: string;
  /** Whether it may be missing, as fallback names may. */
  readonly optional: boolean;
  /** Size in bytes; undefined if unknown. */
  readonly size?: number;
  readonly checksum?: Checksum;
}

/** Header that the hub proxy of a page adds to responses of the hub. */
export const hubProxyHeader = 'Heddle-Hub';

/** Statuses of servers for paths that do not exist. */
const missingStatuses = [400, 403, 404, 405, 410];

/** Maximum size of a listing in bytes. */
const maxListing = 16 * 2 ** 20;

/**
 * The files of a model to download, of the fallback hub if the server is not a hub. Throws a HeddleError if
 * the model does not exist or is not supported.
 */
export async function listFiles(http: HttpOptions, from: Repository): Promise<RemoteFile[]> {
  const { base, name, revision } = from;
  const { fallbackHub } = http;
  const at = encodeURIComponent(revision);
  const api = `${base}/api/models/${name}/revision/${at}?blobs=true`;
  // Fail early if the hub is not reachable.
  const fewRetries = { ...http, maxRetries: Math.min(http.maxRetries, 2) };
  const listing = await withRetries(fewRetries, errorHints(http).unreachable, async () => {
    const { response, timer } = await send(http, api, name, {
      allowed: fallbackHub ? missingStatuses : [404],
    });
    try {
      const { status, headers } = response;
      const isHub = headers.has(hubProxyHeader) || /\bjson\b/i.test(headers.get('Content-Type') ?? '');
      if (fallbackHub && !isHub) {
        await response.body?.cancel();
        return 'not a hub';
      }
      if (status === 404) {
        await response.body?.cancel();
        return undefined;
      }
      if (status >= 400) throw statusError(response, name, http);
      return parseListing(await readBounded(response, timer, name), name);
    } finally {
      timer.stop();
    }
  });
  if (listing === 'not a hub')
    return listFiles({ ...http, fallbackHub: undefined }, repository(name, revision, fallbackHub as string));
  const urlOf = (commit: string, file: string) =>
    `${base}/${name}/resolve/${encodeURIComponent(commit)}/${file}`;
  if (!listing)
    return fallbackNames.map((file, i) => ({
      name: file,
      title: `${name}/${file}`,
      url: urlOf(revision, file),
      optional: i > 0,
    }));
  const files = new Map(listing.files.map((file) => [file.name, file]));
  return selectFiles([...files.keys()], name, errorHints(http).revision).map((file) => ({
    ...(files.get(file) as (typeof listing.files)[number]),
    title: `${name}/${file}`,
    url: urlOf(listing.commit ?? revision, file),
    optional: false,
  }));
}

/** The text of a response. Throws a HeddleError if it is longer than a listing may be. */
export async function readBounded(
  response: Response,
  timer: { reset(): void },
  name: string,
): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  const reader = response.body?.getReader();
  if (!reader) return '';
  for (;;) {
    const { done, value } = await reader.read().catch((error: unknown) => {
      throw new RetryableError(msg`the connection was cut`, { area: name, cause: error });
    });
    if (done) return text + decoder.decode();
    timer.reset();
    bytes += value.length;
    if (bytes > maxListing)
      throw new HeddleError(msg`the hub's list of files is longer than ${maxListing} bytes`, {
        area: name,
        kind: 'network',
      });
    text += decoder.decode(value, { stream: true });
  }
}

function parseListing(text: string, name: string) {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new HeddleError("the hub's list of files is not JSON", { area: name, kind: 'network' });
  }
  if (!isObject(json) || !Array.isArray(json.siblings))
    throw new HeddleError(
      "the hub's answer has no list of files; is its address that of a Hugging Face hub?",
      { area: name, kind: 'network' },
    );
  const commit = typeof json.sha === 'string' && /^[0-9a-f]{40}$/.test(json.sha) ? json.sha : undefined;
  const files = json.siblings.filter(isObject).flatMap((entry) => {
    if (typeof entry.rfilename !== 'string') return [];
    const lfs = isObject(entry.lfs) ? entry.lfs : {};
    const size = [lfs.size, entry.size].find(isCount);
    const checksum =
      checksumOf(lfs.sha256) ?? checksumOf(lfs.oid) ?? (entry.lfs ? undefined : checksumOf(entry.blobId));
    return [{ name: entry.rfilename, size, checksum }];
  });
  return { commit, files };
}

/** A checksum in hexadecimal: SHA-256 of large files (LFS), Git's blob SHA-1 of small ones. */
export interface Checksum {
  readonly kind: 'sha256' | 'git';
  readonly hex: string;
}

/**
 * Parses a checksum of the API or an ETag: 64 digits are SHA-256, 40 are Git's; undefined for other values.
 */
export function checksumOf(value: unknown): Checksum | undefined {
  if (typeof value !== 'string') return undefined;
  const hex = value.replace(/^W\//, '').replaceAll('"', '').toLowerCase();
  if (/^[0-9a-f]{64}$/.test(hex)) return { kind: 'sha256', hex };
  return /^[0-9a-f]{40}$/.test(hex) ? { kind: 'git', hex } : undefined;
}

/**
 * Starts a checksum of `length` bytes, which are added one after the other; `hex` returns the checksum of
 * all.
 */
export function checksumWriter(kind: Checksum['kind'], length: number) {
  const hash = kind === 'git' ? sha1.create() : sha256.create();
  if (kind === 'git') hash.update(new TextEncoder().encode(`blob ${length}\0`));
  return { add: (bytes: Uint8Array) => void hash.update(bytes), hex: () => bytesToHex(hash.digest()) };
}
