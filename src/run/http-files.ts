// Files for a job in a page: those that Node lends over its loopback server. Node's side of it is lend-files.ts.
import { HeddleError } from '../core/errors.ts';
import type { Files } from '../files/files.ts';

/** The files lent at `base`, a URL or, in a page of the same server, its path. */
export function httpFiles(base: string): Files {
  const ask = async (method: string, path: string, query = '', body?: Uint8Array): Promise<Response> => {
    let response: Response;
    try {
      const url = `${base}?path=${encodeURIComponent(path)}${query}`;
      response = await fetch(url, { method, ...(body && { body: body as BodyInit }) });
    } catch (error) {
      throw new HeddleError(`${path}: the process that lends its files does not answer`, { cause: error });
    }
    if (method !== 'HEAD' && !response.ok) throw new HeddleError(await response.text());
    return response;
  };
  return {
    read: async (path) => new Uint8Array(await (await ask('GET', path)).arrayBuffer()),
    write: async (path, bytes) => void (await ask('PUT', path, '', bytes)),
    async exists(path) {
      const { status } = await ask('HEAD', path);
      if (status !== 200 && status !== 404) throw new HeddleError(`${path}: not among the files that may be used`);
      return status === 200;
    },
    list: async (folder) => (await (await ask('GET', folder, '&list')).json()) as string[],
    rename: async (from, to) => void (await ask('POST', from, `&to=${encodeURIComponent(to)}`)),
    remove: async (path) => void (await ask('DELETE', path)),
  };
}
