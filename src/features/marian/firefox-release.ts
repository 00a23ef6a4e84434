// Downloads models of Firefox Translations: a JSON record of models, and gzipped files at a base address. Three
// records are known: models.json of Mozilla's storage, registry.json of firefox-translations-models, and the
// records of Remote Settings.

import { check, HeddleError } from '../../core/errors.ts';
import { listed, msg } from '../../core/message.ts';
import type { Files } from '../../files/files.ts';
import { gunzip } from '../../files/gzip.ts';
import { download } from '../../files/hub/download.ts';
import { errorHints, type HttpOptions, send, withRetries } from '../../files/hub/http.ts';
import type { SourceRequest } from '../../files/hub/model-source.ts';
import { checkPartialFolder } from '../../files/hub/partial-files.ts';
import type { PulledModel } from '../../files/hub/pull-model.ts';
import { checksumOf, checksumWriter, readBounded } from '../../files/hub/repository.ts';
import { isCount, isObject, type Json } from '../../files/json-files.ts';
import { moveIntoFolder } from '../../files/owned-folder.ts';

/** Where Mozilla publishes its models: `db/models.json` and the files. */
export const mozillaModels =
  'https://storage.googleapis.com/moz-fx-translations-data--303e-prod-translations-data';

/** Where the models of a release are. */
export interface FirefoxRelease {
  /** Address of the JSON record. Default: `db/models.json`, `models.json` or `registry.json` at the base address. */
  readonly record?: string;
  /** Base address of the files. Default: that of the record; without a record Mozilla's. */
  readonly base?: string;
}

/** A file of a model: its address under the base address, and what the record says about its contents. */
export interface ReleaseFile {
  readonly name: string;
  readonly path: string;
  /** SHA-256 of the unpacked file. */
  readonly hash?: string;
}

const fileName = /^(?:model|lex|vocab|srcvocab|trgvocab)\.[\w.-]{1,80}(?:bin|spm)(?:\.gz)?$/;
const key = (pair: string): string => pair.replace('-', '').toLowerCase();

/** A file of a record; undefined if its path is none of a model. */
function fileAt(path: unknown, hash: unknown): ReleaseFile[] {
  if (typeof path !== 'string') return [];
  const name = path.split('/').at(-1) ?? '';
  const parts = path.split('/');
  const isPlain =
    fileName.test(name) && parts.every((part) => /^[\w.+-]+$/.test(part) && !/^\.+$/.test(part));
  return isPlain ? [{ name, path, hash: checksumOf(hash)?.hex }] : [];
}

/** models.json: the released model of a pair, or the one of an architecture. */
function filesInModels(models: Json, pair: string, architecture: string | undefined): ReleaseFile[] {
  const all = Object.entries(models).flatMap(([name, list]) =>
    key(name) === key(pair) && Array.isArray(list) ? list.filter(isObject) : [],
  );
  const own = architecture === undefined ? all : all.filter((model) => model.architecture === architecture);
  const isReleased = ({ releaseStatus }: Json) => /^release\b/i.test(String(releaseStatus));
  const chosen = own.find(isReleased) ?? own[0];
  if (!chosen && all.length > 0)
    throw new HeddleError(
      msg`${pair} has no model ${architecture}; it has ${listed(all.map((model) => String(model.architecture)))}`,
      { area: 'pull', kind: 'not-found' },
    );
  const files = isObject(chosen?.files) ? Object.values(chosen.files) : [];
  return files.filter(isObject).flatMap((file) => fileAt(file.path, file.uncompressedHash));
}

/** registry.json: by pair, the files with their names. */
function filesInRegistry(record: Json, pair: string): ReleaseFile[] {
  const [name, model] = Object.entries(record).find(([name]) => key(name) === key(pair)) ?? [];
  if (!isObject(model)) return [];
  return Object.values(model)
    .filter(isObject)
    .flatMap((file) => {
      const folder = typeof file.modelType === 'string' ? `models/${file.modelType}/` : '';
      return fileAt(`${folder}${name}/${file.name}.gz`, file.expectedSha256Hash);
    });
}

/** Records of Remote Settings: the newest version of each file. */
function filesInSettings(data: readonly unknown[], pair: string): ReleaseFile[] {
  const own = data
    .filter(isObject)
    .filter(({ fromLang, toLang }) => key(`${fromLang}-${toLang}`) === key(pair))
    .sort((a, b) => String(b.version).localeCompare(String(a.version), 'en', { numeric: true }));
  const files = new Map<string, ReleaseFile>();
  for (const { name, attachment } of own) {
    const { location, hash } = isObject(attachment) ? attachment : {};
    const known = typeof name === 'string' && fileName.test(name) && typeof location === 'string';
    if (known && !files.has(name) && /^[\w./-]+$/.test(location) && !location.includes('..'))
      files.set(name, { name, path: location, hash: checksumOf(hash)?.hex });
  }
  return [...files.values()];
}

/** The files of a model in a record. Throws a HeddleError that lists the pairs if it has no such model. */
export function filesInRecord(record: Json, pair: string, architecture?: string): ReleaseFile[] {
  const { models, data } = record;
  const files = isObject(models)
    ? filesInModels(models, pair, architecture)
    : Array.isArray(data)
      ? filesInSettings(data, pair)
      : filesInRegistry(record, pair);
  const has = (start: string) => files.some(({ name }) => name.startsWith(start));
  if (has('model.') && (has('vocab.') || (has('srcvocab.') && has('trgvocab.')))) return files;
  const pairs = isObject(models) ? Object.keys(models) : Array.isArray(data) ? [] : Object.keys(record);
  const lacks = msg`the record has no model with its vocabulary for ${pair}`;
  throw new HeddleError(pairs.length > 0 ? msg`${lacks}; it has ${listed(pairs.slice(0, 60))}` : lacks, {
    area: 'pull',
    kind: 'not-found',
  });
}

/** Reads a JSON record; undefined if there is none at the address. */
async function readRecord(http: HttpOptions, url: string): Promise<Json | undefined> {
  const text = await withRetries(http, errorHints(http).unreachable, async () => {
    const { response, timer } = await send(http, url, url, { allowed: [403, 404] });
    try {
      const isMissing = response.status >= 400;
      if (isMissing) await response.body?.cancel();
      return isMissing ? undefined : await readBounded(response, timer, url);
    } finally {
      timer.stop();
    }
  });
  if (text === undefined || text.trimStart().startsWith('<')) return undefined;
  try {
    const json: unknown = JSON.parse(text);
    if (isObject(json)) return json;
  } catch {
    // Not JSON: below.
  }
  throw new HeddleError('not a record of models: it is not a JSON object', { area: url, kind: 'network' });
}

/** An http address without slashes at its end. */
function address(url: string): string {
  check(/^https?:\/\/[^/]/.test(url) && URL.canParse(url), msg`${url} is not an http or https URL`, {
    area: 'pull',
  });
  return url.replace(/\/+$/, '');
}

/** The record of a release, and the base address of its files. */
async function openRelease(http: HttpOptions, release: FirefoxRelease) {
  const given = release.base === undefined ? undefined : address(release.base);
  if (release.record !== undefined) {
    const url = address(release.record);
    const record = await readRecord(http, url);
    if (!record) throw new HeddleError('there is no record of models', { area: url, kind: 'not-found' });
    const folder = url.replace(/(?:\/db)?\/[^/]*$/, '');
    const stated = typeof record.baseUrl === 'string' ? address(record.baseUrl) : folder;
    return { record, base: given ?? stated };
  }
  const base = given ?? mozillaModels;
  for (const name of ['db/models.json', 'models.json', 'registry.json']) {
    const record = await readRecord(http, `${base}/${name}`);
    if (record) return { record, base };
  }
  throw new HeddleError('there is no db/models.json, models.json or registry.json', {
    area: base,
    kind: 'not-found',
  });
}

/**
 * Downloads the model of a pair of languages and unpacks it. `version`: architecture of the model. Throws a HeddleError
 * if there is no such model, or a checksum is wrong.
 */
export async function pullRelease(request: SourceRequest): Promise<PulledModel> {
  const { files, folder, name: pair, partial = `${folder}.part`, version, http, onProgress } = request;
  await checkPartialFolder(files, partial, (name) => fileName.test(name));
  const { record, base } = await openRelease(http, { record: request.registry, base: request.baseUrl });
  const list = filesInRecord(record, pair, version);
  const sizes = new Map<string, number>();
  const arrived = new Map<string, number>();
  const sum = (all: ReadonlyMap<string, number>) => [...all.values()].reduce((a, b) => a + b, 0);
  for (const { name, path } of list) {
    const file = { name, title: `${pair}/${name}`, url: `${base}/${path}`, optional: false };
    await download(http, files, partial, file, (done, total) => {
      arrived.set(name, done);
      sizes.set(name, isCount(total) ? total : done);
      onProgress({ file: name, loaded: sum(arrived), total: sum(sizes) });
    });
  }
  const pulled: { name: string; bytes: number }[] = [];
  for (const { name, hash } of list) {
    const bytes = await unpack(files, `${partial}/${name}`, hash);
    pulled.push({ name: name.replace(/\.gz$/, ''), bytes });
  }
  const names = new Set(pulled.map(({ name }) => name));
  for (const name of await files.list(partial))
    if (!names.has(name)) await files.remove(`${partial}/${name}`);
  try {
    await request.check?.(partial);
  } catch (error) {
    if (error instanceof HeddleError) await files.remove(partial);
    throw error;
  }
  await moveIntoFolder(files, partial, folder);
  return { folder, files: pulled };
}

/**
 * Unpacks a file whose name ends in .gz, unless the server has unpacked it, and compares its checksum. Returns its
 * size.
 */
async function unpack(files: Files, path: string, hash: string | undefined): Promise<number> {
  const packed = await files.read(path);
  const isPacked = packed[0] === 0x1f && packed[1] === 0x8b;
  const bytes = isPacked ? await gunzip(packed, path) : packed;
  const sum = checksumWriter('sha256', bytes.length);
  sum.add(bytes);
  if (hash !== undefined && sum.hex() !== hash) {
    await files.remove(path);
    throw new HeddleError('its checksum is not the one of the record; it was removed, pull it again', {
      area: path,
      kind: 'network',
    });
  }
  const plain = path.replace(/\.gz$/, '');
  await files.write(plain, bytes);
  if (plain !== path) await files.remove(path);
  return bytes.length;
}
