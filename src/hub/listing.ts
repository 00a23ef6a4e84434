// What a repository holds: its commit, and its files with lengths and checksums, from the hub's API; or where a server has no such
// API, names to try.

import { HeddleError } from '../core/errors.ts';
import { isObject } from '../core/records.ts';
import { type Checksum, checksumOf } from './checksum.ts';
import { adviceOf, Cut, patiently, refusal, send, type Web } from './http.ts';
import { guesses, type Repository, wanted } from './repository.ts';

/** A file to download. */
export interface RemoteFile {
  readonly name: string;
  /** For messages: the model and the file. */
  readonly title: string;
  readonly url: string;
  /** Whether it may be absent; so are names that were guessed. */
  readonly optional: boolean;
  /** Bytes; undefined where it is not known. */
  readonly size?: number;
  readonly checksum?: Checksum;
}

/** Header of answers that a page's own server has passed on from a hub: so they are a hub's, whatever they look like. */
export const passedOn = 'Heddle-Hub';

/** What servers say of a path that they do not have. */
const notThere = [400, 403, 404, 405, 410];

/** Most bytes of a listing. */
const maxListing = 16 * 2 ** 20;

/** The files of a model that are read here. Throws a HeddleError where there is none, or none that can be read. */
export async function listFiles(web: Web, repository: Repository): Promise<RemoteFile[]> {
  const { base, name, revision } = repository;
  const at = encodeURIComponent(revision);
  const api = `${base}/api/models/${name}/revision/${at}?blobs=true`;
  // A hub that is not there should be told soon.
  const listing = await patiently({ ...web, tries: Math.min(web.tries, 2) }, '', async () => {
    const { noHub } = adviceOf(web);
    const { response, timer } = await send(web, api, name, { allowed: noHub === undefined ? [404] : notThere });
    try {
      const { status, headers } = response;
      const isHub = headers.has(passedOn) || /\bjson\b/i.test(headers.get('Content-Type') ?? '');
      if (noHub !== undefined && !isHub) {
        await response.body?.cancel();
        throw new HeddleError(`${name}: ${noHub}`);
      }
      if (response.status === 404) {
        await response.body?.cancel();
        return undefined;
      }
      if (status >= 400) throw refusal(response, name, web);
      return parseListing(await readBounded(response, timer, name), name);
    } finally {
      timer.stop();
    }
  });
  const urlOf = (commit: string, file: string) => `${base}/${name}/resolve/${encodeURIComponent(commit)}/${file}`;
  if (!listing)
    return guesses.map((file, i) => ({
      name: file,
      title: `${name}/${file}`,
      url: urlOf(revision, file),
      optional: i > 0,
    }));
  const files = new Map(listing.files.map((file) => [file.name, file]));
  return wanted([...files.keys()], name, adviceOf(web).revision).map((file) => ({
    ...(files.get(file) as (typeof listing.files)[number]),
    title: `${name}/${file}`,
    url: urlOf(listing.commit ?? revision, file),
    optional: false,
  }));
}

async function readBounded(response: Response, timer: { reset(): void }, name: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  const reader = response.body?.getReader();
  if (!reader) return '';
  for (;;) {
    const { done, value } = await reader.read().catch((error: unknown) => {
      throw new Cut(`${name}: the connection was cut`, { cause: error });
    });
    if (done) return text + decoder.decode();
    timer.reset();
    bytes += value.length;
    if (bytes > maxListing)
      throw new HeddleError(`${name}: the hub's list of files is longer than ${maxListing} bytes`);
    text += decoder.decode(value, { stream: true });
  }
}

function parseListing(text: string, name: string) {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new HeddleError(`${name}: the hub's list of files is not JSON`);
  }
  if (!isObject(json) || !Array.isArray(json.siblings))
    throw new HeddleError(`${name}: the hub's answer has no list of files`);
  const commit = typeof json.sha === 'string' && /^[0-9a-f]{40}$/.test(json.sha) ? json.sha : undefined;
  const files = json.siblings.filter(isObject).flatMap((entry) => {
    if (typeof entry.rfilename !== 'string') return [];
    const lfs = isObject(entry.lfs) ? entry.lfs : {};
    const size = [lfs.size, entry.size].find((x) => typeof x === 'number' && Number.isSafeInteger(x) && x >= 0);
    const checksum =
      checksumOf(lfs.sha256) ?? checksumOf(lfs.oid) ?? (entry.lfs ? undefined : checksumOf(entry.blobId));
    return [
      { name: entry.rfilename, ...(size !== undefined && { size: size as number }), ...(checksum && { checksum }) },
    ];
  });
  return { commit, files };
}
