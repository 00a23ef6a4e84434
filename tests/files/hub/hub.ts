// A fake Hugging Face hub on loopback: its API, range requests, redirects for large files, and injected
// faults.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How the hub behaves; may be changed while it runs. */
export interface HubState {
  files: Record<string, Uint8Array>;
  /** Names under which it has the model. */
  repositories: string[];
  /** Whether it lists files; else the API is 404. */
  api: boolean;
  /** Bytes of a body after which the connection is cut, for each file as long as there are numbers. */
  cuts: Record<string, number[]>;
  /** Stall the body after this number of bytes, once. */
  stalls: Record<string, number>;
  /** Files that are served through a redirect, as LFS files on the hub. */
  redirected: Set<string>;
  ranges: boolean;
  /** Statuses for next requests of a path, by what the path ends with. */
  statuses: Record<string, number[]>;
  /** Checksums to report instead of the true ones. */
  sums: Record<string, string>;
  /** The token that is needed. */
  token?: string;
  /** Length to report instead of the true one. */
  lengths: Record<string, number>;
  listing?: string;
  /** Where redirects lead; to the hub itself unless given. */
  elsewhere?: string;
}

export interface Hub {
  readonly url: string;
  readonly state: HubState;
  /** What was asked for: `GET /path range`. */
  readonly log: { method: string; path: string; range: string | undefined; token: string | undefined }[];
  close(): Promise<void>;
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const git = (bytes: Uint8Array) =>
  createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
const commit = 'c0ffee'.padEnd(40, '0');

/** Starts a hub with one model, me/it. */
export async function startHub(files: Record<string, Uint8Array>): Promise<Hub> {
  const state: HubState = {
    files,
    repositories: ['me/it'],
    api: true,
    cuts: {},
    stalls: {},
    redirected: new Set(Object.keys(files).filter((name) => name.endsWith('.safetensors'))),
    ranges: true,
    statuses: {},
    sums: {},
    lengths: {},
  };
  const log: Hub['log'] = [];
  const isLarge = (name: string) => state.redirected.has(name);
  const sumOf = (name: string) =>
    state.sums[name] ?? (isLarge(name) ? sha256 : git)(state.files[name] as Uint8Array);

  const list = (response: ServerResponse) => {
    const siblings = Object.entries(state.files).map(([rfilename, bytes]) => {
      const size = state.lengths[rfilename] ?? bytes.length;
      return isLarge(rfilename)
        ? { rfilename, size, lfs: { sha256: sumOf(rfilename), size } }
        : { rfilename, size, blobId: sumOf(rfilename) };
    });
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(state.listing ?? JSON.stringify({ sha: commit, siblings }));
  };
  const serve = (request: IncomingMessage, response: ServerResponse, name: string) => {
    const bytes = state.files[name] as Uint8Array;
    const [, start, end] = (state.ranges && /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '')) || [];
    const from = Number(start ?? -1);
    if (from >= bytes.length) return response.writeHead(416).end();
    const body = bytes.subarray(Math.max(0, from), end ? Number(end) + 1 : bytes.length);
    if (from >= 0)
      response.setHeader('Content-Range', `bytes ${from}-${from + body.length - 1}/${bytes.length}`);
    response.writeHead(from >= 0 ? 206 : 200, {
      ETag: `"${sumOf(name)}"`,
      'Content-Length': body.length,
    });
    if (request.method === 'HEAD') return response.end();
    const stall = state.stalls[name];
    if (stall !== undefined) {
      delete state.stalls[name];
      return response.write(body.subarray(0, stall));
    }
    const cut = state.cuts[name]?.shift();
    if (cut === undefined) return response.end(body);
    response.write(body.subarray(0, cut), () => setTimeout(() => response.destroy(), 20));
  };
  const server = createServer((request, response) => {
    const { method = '', url = '', headers } = request;
    const path = decodeURIComponent(new URL(url, 'http://x').pathname);
    log.push({ method, path, range: headers.range, token: headers.authorization });
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Access-Control-Expose-Headers', 'ETag, Content-Range, X-Linked-Size, X-Linked-Etag');
    const scripted = Object.entries(state.statuses).find(
      ([end, list]) => path.endsWith(end) && list.length > 0,
    );
    if (scripted) return response.writeHead(scripted[1].shift() as number).end('no');
    if (state.token && path.startsWith('/me') && headers.authorization !== `Bearer ${state.token}`)
      return response.writeHead(401).end();
    if (state.token && path.startsWith('/api') && headers.authorization !== `Bearer ${state.token}`)
      return response.writeHead(401).end();
    const [, repository = '', rest = ''] = /^(?:\/api\/models)?\/([^/]+\/[^/]+)(\/.*)$/.exec(path) ?? [];
    const known = state.repositories.includes(repository);
    const isList = path.startsWith('/api/') && /^\/revision\/(main|refs\/pr\/1)$/.test(rest);
    if (state.api && known && isList) return list(response);
    const [, revision, name = ''] = (known && /^\/resolve\/(.+?)\/([^/]+)$/.exec(rest)) || [];
    if (path.startsWith('/cdn/') && state.files[path.slice(5)])
      return serve(request, response, path.slice(5));
    if (!state.files[name] || !['main', commit, 'refs/pr/1'].includes(revision ?? ''))
      return response.writeHead(404).end('none');
    if (!isLarge(name)) return serve(request, response, name);
    const linked = {
      'X-Linked-Etag': `"${sumOf(name)}"`,
      'X-Linked-Size': String(state.lengths[name] ?? state.files[name]?.length),
    };
    return response.writeHead(302, { Location: `${state.elsewhere ?? ''}/cdn/${name}`, ...linked }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    state,
    log,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
