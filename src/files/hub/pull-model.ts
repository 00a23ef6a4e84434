// Downloads a model from a hub: files arrive in FOLDER.part, which becomes FOLDER when all are complete. A
// later call resumes.

import { HeddleError } from '../../core/errors.ts';
import { formatBytes } from '../../core/format-numbers.ts';
import { msg } from '../../core/message.ts';
import type { Files } from '../files.ts';
import { weightNames } from '../hf-file-names.ts';
import { isObject, readJson } from '../json-files.ts';
import { moveIntoFolder } from '../owned-folder.ts';
import { download } from './download.ts';
import type { HttpOptions } from './http.ts';
import { checkPartialFolder, partialBytes } from './partial-files.ts';
import { isModelFile, isShard, listFiles, type RemoteFile, type Repository } from './repository.ts';

/** Progress of a download. */
export interface PullProgress {
  /** Name of the file that is downloaded now. */
  readonly file: string;
  /** Bytes received, of all files. */
  readonly loaded: number;
  /** Total number of bytes, as far as sizes are known. */
  readonly total: number;
}

/** A downloaded model. */
export interface PulledModel {
  /** Folder of the model. */
  readonly folder: string;
  /** Its files, with their sizes in bytes. */
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
}

const { whole, index } = weightNames;

/** Options of `pull`. */
export interface PullOptions {
  /** Folder of incomplete downloads. Default: FOLDER.part. */
  readonly partial?: string;
  /**
   * Validates the downloaded files: called after each file with its name, and once at the end. If it throws a
   * HeddleError, they are removed.
   */
  readonly check?: (partial: string, file?: string) => Promise<unknown>;
}

/**
 * Downloads a model into `folder`; an existing folder is replaced when the new one is complete. Throws a
 * HeddleError if the model does not exist, is private, has no weights in safetensors, does not fit on the disk, a
 * checksum is wrong, `partial` has other files, or the connection fails; a later call resumes. Rejects with the signal's reason if
 * it is aborted.
 *
 * @example
 * const http = { fetch, signal: AbortSignal.timeout(600_000), idleTimeout: 60_000, retryDelay: 500, maxRetries: 5 };
 * const from = repository('facebook/bart-base', 'main', defaultHub);
 * await pull(files, http, from, 'models/bart-base', ({ loaded, total }) => console.log(loaded / total));
 */
export async function pull(
  files: Files,
  http: HttpOptions,
  repository: Repository,
  folder: string,
  onProgress: (progress: PullProgress) => void,
  { partial = `${folder}.part`, check }: PullOptions = {},
): Promise<PulledModel> {
  const validate = async (file?: string) => {
    try {
      await check?.(partial, file);
    } catch (error) {
      if (error instanceof HeddleError) await files.remove(partial);
      throw error;
    }
  };
  await checkPartialFolder(files, partial, isModelFile);
  const queue: RemoteFile[] = await listFiles(http, repository);
  await checkRoom(files, partial, folder, queue);
  const sizes = new Map(queue.map((file) => [file.name, file.size ?? 0]));
  const downloaded: { name: string; bytes: number }[] = [];
  for (let file = queue.shift(); file; file = queue.shift()) {
    const { name, optional, url } = file;
    // Fallback names: one of the two forms of weights is enough.
    if (optional && name === index && downloaded.some((x) => x.name === whole)) continue;
    const before = downloaded.reduce((n, x) => n + x.bytes, 0);
    const bytes = await download(http, files, partial, file, (done, total) => {
      sizes.set(name, total ?? Math.max(done, sizes.get(name) ?? 0));
      onProgress({
        file: name,
        loaded: before + done,
        total: [...sizes.values()].reduce((a, b) => a + b, 0),
      });
    });
    if (bytes === undefined) continue;
    downloaded.push({ name, bytes });
    await validate(name);
    if (name === index)
      for (const shard of await shardsOf(files, `${partial}/${name}`)) {
        if (sizes.has(shard)) continue;
        if (!optional)
          throw new HeddleError(msg`it names ${shard}, which ${repository.name} does not have`, {
            area: name,
            kind: 'not-found',
          });
        sizes.set(shard, 0);
        queue.push({
          name: shard,
          title: `${repository.name}/${shard}`,
          url: url.slice(0, -name.length) + shard,
          optional: false,
        });
      }
  }
  if (
    !downloaded.some(({ name }) => name === whole || name === index || name === 'adapter_model.safetensors')
  )
    throw new HeddleError(msg`it has no ${whole}; weights are read from safetensors`, {
      area: repository.name,
      kind: 'not-found',
    });
  await removeOthers(files, partial, downloaded);
  await validate();
  http.signal.throwIfAborted(); // an aborted call leaves no complete model
  await moveIntoFolder(files, partial, folder);
  return { folder, files: downloaded };
}

/**
 * Throws a HeddleError if the disk has no room for the files that are not in `partial` yet. A file takes its size
 * twice while it is joined from its parts. Files of unknown size count as empty.
 */
async function checkRoom(
  files: Files,
  partial: string,
  folder: string,
  queue: readonly RemoteFile[],
): Promise<void> {
  const free = await files.free?.(partial);
  if (free === undefined) return;
  let [added, most] = [0, 0];
  for (const { name, size = 0 } of queue) {
    const path = `${partial}/${name}`;
    if (await files.exists(path)) continue;
    added += size - (await partialBytes(files, path));
    most = Math.max(most, added + size);
  }
  if (free < most)
    throw new HeddleError(
      msg`no room on the disk: the download needs ${formatBytes(most)}, ${formatBytes(free)} are free; free some space, or use another disk`,
      { area: folder, kind: 'quota' },
    );
}

/** The shards in an index. Throws a HeddleError for other names, such as paths that leave the folder. */
async function shardsOf(files: Files, path: string): Promise<string[]> {
  const { weight_map: map } = await readJson(files, path);
  if (!isObject(map)) throw new HeddleError('it has no weight_map', { area: path, kind: 'input' });
  const names = [...new Set<unknown>(Object.values(map))];
  const wrong = names.find((name) => typeof name !== 'string' || !isShard(name));
  if (wrong !== undefined)
    throw new HeddleError(msg`${JSON.stringify(wrong)} is not the name of a shard`, {
      area: path,
      kind: 'input',
    });
  return names as string[];
}

/** Removes files of an earlier download of another model or revision. */
async function removeOthers(files: Files, folder: string, keep: readonly { name: string }[]): Promise<void> {
  const names = new Set(keep.map(({ name }) => name));
  for (const name of await files.list(folder)) if (!names.has(name)) await files.remove(`${folder}/${name}`);
}
