// A model from a hub into a folder: everything comes into FOLDER.part, which becomes FOLDER once it is whole. What an earlier try
// left there is used again.
import { HeddleError } from '../core/errors.ts';
import { type Files, readText } from '../files/files.ts';
import { download } from './download.ts';
import type { HttpOptions } from './http.ts';
import { isShard, listFiles, type RemoteFile, type Repository } from './repository.ts';

/** What is told while a model comes. */
export interface PullProgress {
  /** The file that comes now. */
  readonly file: string;
  /** Bytes of all files that are there, and of how many, as far as lengths are known. */
  readonly loaded: number;
  readonly total: number;
}

/** A model that has come. */
export interface PulledModel {
  readonly folder: string;
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
}

const index = 'model.safetensors.index.json';
const whole = 'model.safetensors';

/** How a model is taken. */
export interface PullOptions {
  /** Where what has come waits for the rest; FOLDER.part unless given. */
  readonly partial?: string;
  /**
   * Looks at what has come, after each file, which it is told, and at the end before all is put in its place; where it throws a
   * HeddleError, what came is removed.
   */
  readonly check?: (partial: string, file?: string) => Promise<unknown>;
}

/**
 * Downloads a model into `folder`. A folder that is there is replaced once the new one is whole. Throws a HeddleError for a model
 * that is not there, may not be read or has no weights in safetensors, for a wrong checksum, and where the connection stays cut; all
 * that has come then waits for the next try. Rejects with the signal's reason where it is aborted.
 */
export async function pull(
  files: Files,
  web: HttpOptions,
  repository: Repository,
  folder: string,
  onProgress: (progress: PullProgress) => void,
  { partial = `${folder}.part`, check }: PullOptions = {},
): Promise<PulledModel> {
  const look = async (file?: string) => {
    try {
      await check?.(partial, file);
    } catch (error) {
      if (error instanceof HeddleError) await files.remove(partial);
      throw error;
    }
  };
  const queue: RemoteFile[] = await listFiles(web, repository);
  const sizes = new Map(queue.map((file) => [file.name, file.size ?? 0]));
  const got: { name: string; bytes: number }[] = [];
  for (let file = queue.shift(); file; file = queue.shift()) {
    const { name, optional, url } = file;
    // Guessed names: of the two forms of weights one is enough.
    if (optional && name === index && got.some((x) => x.name === whole)) continue;
    const before = got.reduce((n, x) => n + x.bytes, 0);
    const bytes = await download(web, files, partial, file, (done, of) => {
      sizes.set(name, of ?? Math.max(done, sizes.get(name) ?? 0));
      onProgress({ file: name, loaded: before + done, total: [...sizes.values()].reduce((a, b) => a + b, 0) });
    });
    if (bytes === undefined) continue;
    got.push({ name, bytes });
    await look(name);
    if (name === index)
      for (const shard of await shardsOf(files, `${partial}/${name}`)) {
        if (sizes.has(shard)) continue;
        if (!optional) throw new HeddleError(`${name}: it names ${shard}, which ${repository.name} does not have`);
        sizes.set(shard, 0);
        queue.push({
          name: shard,
          title: `${repository.name}/${shard}`,
          url: url.slice(0, -name.length) + shard,
          optional: false,
        });
      }
  }
  if (!got.some(({ name }) => name === whole || name === index || name === 'adapter_model.safetensors'))
    throw new HeddleError(`${repository.name}: it has no ${whole}; weights are read from safetensors`);
  await tidy(files, partial, got);
  await look();
  await files.rename(partial, folder);
  return { folder, files: got };
}

/** The shards that an index names. Throws a HeddleError for names that are none, such as paths out of the folder. */
async function shardsOf(files: Files, path: string): Promise<string[]> {
  let map: unknown;
  try {
    map = (JSON.parse(await readText(files, path)) as { weight_map?: unknown } | null)?.weight_map;
  } catch (error) {
    if (error instanceof HeddleError) throw error;
    throw new HeddleError(`${path}: not JSON`, { cause: error });
  }
  if (typeof map !== 'object' || map === null) throw new HeddleError(`${path}: it has no weight_map`);
  const names = [...new Set<unknown>(Object.values(map))];
  const wrong = names.find((name) => typeof name !== 'string' || !isShard(name));
  if (wrong !== undefined) throw new HeddleError(`${path}: ${JSON.stringify(wrong)} is not the name of a shard`);
  return names as string[];
}

/** Removes what an earlier try for another model or revision left. */
async function tidy(files: Files, folder: string, keep: readonly { name: string }[]): Promise<void> {
  const names = new Set(keep.map(({ name }) => name));
  for (const name of await files.list(folder)) if (!names.has(name)) await files.remove(`${folder}/${name}`);
}
