// Caches the frames of sources in a file next to the model folder, OUT.sources, by the SHA-256 of each source, so that
// a run resumes at once and a changed clip is noticed. The file also has the SHA-256 of its own contents.

import { version } from '../../../../package.json';
import { HeddleError } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import type { Pace } from '../../../core/steps.ts';
import { digest } from '../../../files/checksums.ts';
import type { Files } from '../../../files/files.ts';
import type { VectorRow } from '../../../text/batches/encoded-corpus.ts';
import { type CacheProblem, readCacheFile, writeCacheFile } from '../../../train/data/cache-file.ts';
import { sourceCachePath } from '../../../train/data/run-files.ts';
import type { FrameMaker } from './frame-makers.ts';

/** Maximum bytes of a cache, which is written as a whole. */
const maxBytes = 2 ** 30;

interface CacheHeader {
  readonly key: string;
  /** Hash of each source, and the numbers of its frames: those that are stored, their count, the value of others. */
  readonly rows: readonly (readonly [hash: string, stored: number, length: number, fill: number])[];
}

/** The frames of a run, computed once for each source. */
export class FrameCache {
  readonly path: string;
  readonly #files: Files;
  readonly #maker: FrameMaker;
  readonly #isOn: boolean;
  #rows = new Map<string, VectorRow>();
  #opened: Promise<CacheProblem | undefined> | undefined;
  /** Whether the file lacks rows. */
  #isOutdated = false;

  /** Without `out` nothing is stored. */
  constructor(files: Files, out: string, maker: FrameMaker) {
    this.path = sourceCachePath(out);
    this.#files = files;
    this.#maker = maker;
    // Outside of secure contexts there are no hashes.
    this.#isOn = out !== '' && globalThis.crypto?.subtle !== undefined;
  }

  get #key(): string {
    return JSON.stringify([version, ...this.#maker.settings]);
  }

  /** Reads the file, once; returns why it cannot be used, if there is one that cannot. */
  async open(pace: Pace): Promise<CacheProblem | undefined> {
    this.#opened ??= this.#isOn ? this.#read(pace) : Promise.resolve(undefined);
    return this.#opened;
  }

  /** The frames of a source. Throws a HeddleError that starts with its name. */
  async framesOf(name: string): Promise<VectorRow> {
    const source = await this.#maker.read(name);
    if (!this.#isOn) return source.frames();
    const hash = await digest(source.bytes);
    const known = this.#rows.get(hash);
    if (known) return known;
    const made = source.frames();
    this.#rows.set(hash, made);
    this.#isOutdated = true;
    return made;
  }

  async #read(pace: Pace): Promise<CacheProblem | undefined> {
    const cached = await readCacheFile<CacheHeader>(this.#files, this.path, pace);
    if (typeof cached !== 'object') return cached;
    const { header, bytes } = cached;
    if (header.key !== this.#key) return 'outdated';
    let at = bytes.byteOffset;
    for (const [hash, stored, length, fill] of header.rows) {
      this.#rows.set(hash, { data: new Float32Array(bytes.buffer, at, stored), length, fill });
      at += 4 * stored;
    }
    return undefined;
  }

  /** Writes the file if frames are new. Throws a HeddleError if it cannot be written. */
  async write(): Promise<void> {
    if (!this.#isOn || !this.#isOutdated) return;
    const rows = [...this.#rows];
    const size = rows.reduce((sum, [, { data }]) => sum + data.byteLength, 0);
    if (size > maxBytes)
      throw new HeddleError(msg`${this.path} would have ${Math.round(size / 1e6)} MB, more than 1 GiB`);
    const header: CacheHeader = {
      key: this.#key,
      rows: rows.map(([hash, { data, length, fill }]) => [hash, data.length, length, fill]),
    };
    const arrays = rows.map(([, { data }]) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    await writeCacheFile(this.#files, this.path, header, arrays);
    this.#isOutdated = false;
  }
}
