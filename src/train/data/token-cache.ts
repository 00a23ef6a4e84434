// Caches the token ids of a corpus in a file next to the model folder, so that a run resumes at once. The key
// is the SHA-256 of the corpus files, the tokenizers and the settings; the cache also has the SHA-256 of its
// own contents. If either differs, the corpus is read and tokenized again.

import { version } from '../../../package.json';
import type { Pace } from '../../core/steps.ts';
import { digest } from '../../files/checksums.ts';
import { type Files, openStream } from '../../files/files.ts';
import type {
  EncodedCorpus,
  EncodeOptions,
  RaggedRows,
  TokenIds,
} from '../../text/batches/encoded-corpus.ts';
import { packedPairs, packPairs } from '../../text/corpus/packed-pairs.ts';
import { pathsOf } from '../../text/corpus/pair-files.ts';
import type { Fingerprint, Pair, PairList } from '../../text/corpus/pairs.ts';
import { type CacheProblem, hashOf, readCacheFile, writeCacheFile } from './cache-file.ts';
import type { CorpusArguments } from './corpus-arguments.ts';
import { corpusFiles, keepsPairs } from './load-corpus.ts';
import type { KnownModel, TokenizerPair } from './new-model.ts';
import { tokenCachePath } from './run-files.ts';
import { encodeOptionsOf, type TrainingDataOptions } from './training-data.ts';

/** The corpus of a run, tokenized. */
export interface PreparedCorpus {
  readonly corpus: EncodedCorpus;
  /** Fingerprint of the training pairs. */
  readonly fingerprint: Fingerprint;
  /** The first training pairs. */
  readonly examples: readonly Pair[];
  readonly dev: PairList;
  readonly test: PairList;
  /** Number of training pairs of each file, if the corpus has files. */
  readonly fileSizes?: readonly number[];
}

/** The cached token ids of a run, next to its model folder. */
export class TokenCache {
  readonly path: string;
  readonly #files: Files;
  readonly #hash: string;
  readonly #options: Pick<TrainingDataOptions, 'maxLength' | 'truncate'>;
  #isWritten = false;

  /** `hash`: result of `hashCorpus`. `options`: how pairs are encoded. */
  constructor(
    files: Files,
    out: string,
    hash: string,
    options: Pick<TrainingDataOptions, 'maxLength' | 'truncate'>,
  ) {
    this.path = tokenCachePath(out);
    this.#files = files;
    this.#hash = hash;
    this.#options = options;
  }

  /** Reads the token ids for a model. Returns and throws as `readTokenCache`. */
  async read(model: KnownModel, pace: Pace): Promise<PreparedCorpus | CacheProblem | undefined> {
    return readTokenCache(this.#files, this.path, await this.#keyFor(model), pace);
  }

  /** Writes the token ids for a model, only once. Throws a HeddleError if they cannot be written. */
  async write(model: KnownModel, prepared: PreparedCorpus): Promise<void> {
    if (this.#isWritten) return;
    this.#isWritten = true;
    await writeTokenCache(this.#files, this.path, await this.#keyFor(model), prepared);
  }

  #keyFor(model: KnownModel): Promise<string> {
    return cacheKey(this.#hash, model, encodeOptionsOf(model.config, this.#options));
  }
}

/**
 * Hash of the files of a corpus and of the options that read them; undefined if the files cannot be read a
 * second time (stdin, a pipe), or the platform has no SHA-256. `pace` is called between blocks.
 */
export async function hashCorpus(
  corpus: CorpusArguments,
  heldOut: number,
  files: Files,
  pace: Pace,
): Promise<string | undefined> {
  const parts = Object.values(corpusFiles(corpus) ?? {}).flatMap((set) => (set ? [set] : []));
  const paths = parts.flatMap(pathsOf);
  // Without a stream, as in browser storage, files are small; outside of secure contexts there are no hashes.
  if (paths.length === 0 || paths.includes('-') || !files.stream || !globalThis.crypto?.subtle)
    return undefined;
  if (keepsPairs(corpus)) return undefined;
  const hashes: string[] = [];
  for (const path of paths) {
    const total = (await files.size?.(path)) ?? 0;
    if (files.size && total === 0) return undefined; // a pipe, or an empty file, which its reader reports
    hashes.push(await hashOf(await openStream(files, path), (done) => pace({ task: 'check', done, total })));
  }
  const rest = parts.map(({ files = [], source = [], target, ...some }) => [
    files.map(endingOf),
    source.length,
    some,
  ]);
  return JSON.stringify([version, hashes, rest, heldOut]);
}

/** The extension of a file name, which determines the format. */
const endingOf = (path: string): string => /(\.\w+)?(\.gz)?$/i.exec(path)?.[0] ?? '';

/**
 * The key of a cache: a hash of the corpus, tokenizers and encoding options. `corpus`: result of
 * `hashCorpus`.
 */
export const cacheKey = (
  corpus: string,
  { source, target }: TokenizerPair,
  options: EncodeOptions,
): Promise<string> =>
  digest(
    new TextEncoder().encode(
      JSON.stringify([
        corpus,
        ...[source, target].map((side) => [side, side.special, side.begin ?? -1]),
        options,
      ]),
    ),
  );

/** Header of a cache. */
interface CacheHeader extends Pick<PreparedCorpus, 'examples' | 'fileSizes'> {
  readonly key: string;
  /** Fingerprint of the training pairs, as in state.json. */
  readonly data: Fingerprint;
  readonly facts: Omit<EncodedCorpus, 'source' | 'target' | 'pairIndex'>;
  readonly pairs: { readonly dev: number; readonly test: number };
  /** Bytes of each array, in this order. */
  readonly sizes: readonly number[];
}

/** Writes a cache. Throws a HeddleError if it cannot be written. */
async function writeTokenCache(
  files: Files,
  path: string,
  key: string,
  prepared: PreparedCorpus,
): Promise<void> {
  const { corpus, fingerprint, examples, dev, test, fileSizes } = prepared;
  const { source, target, pairIndex, ...facts } = corpus;
  const bytes = ({ buffer, byteOffset, byteLength }: TokenIds | Uint8Array) =>
    new Uint8Array(buffer, byteOffset, byteLength);
  const packed = (list: PairList) => (packPairs([...list], false) as { bytes: Uint8Array }).bytes;
  const arrays = [
    source.starts,
    target.starts,
    pairIndex,
    source.ids,
    target.ids,
    packed(dev),
    packed(test),
  ].map(bytes);
  const header: CacheHeader = {
    key,
    data: fingerprint,
    examples,
    fileSizes,
    facts,
    pairs: { dev: dev.length, test: test.length },
    sizes: arrays.map(({ length }) => length),
  };
  await writeCacheFile(files, path, header, arrays);
}

/**
 * Reads a cache. Returns the problem if it cannot be used; undefined if there is none. `pace` is called
 * between blocks.
 */
export async function readTokenCache(
  files: Files,
  path: string,
  key: string,
  pace: Pace = () => undefined,
): Promise<PreparedCorpus | CacheProblem | undefined> {
  const cached = await readCacheFile<CacheHeader>(files, path, pace);
  if (typeof cached !== 'object') return cached;
  const { header, bytes } = cached;
  if (header.key !== key) return 'outdated';
  // The arrays are views: 4-byte ones first, so that all are aligned.
  let at = bytes.byteOffset;
  const [sourceStarts, targetStarts, pairIndex, sourceIds, targetIds, dev, test] = header.sizes.map(
    (size) => {
      at += size;
      return [bytes.buffer, at - size, size] as const;
    },
  ) as [View, View, View, View, View, View, View];
  const uint32 = ([buffer, from, size]: View) => new Uint32Array(buffer, from, size / 4);
  const rows = ([buffer, from, size]: View, starts: Uint32Array): RaggedRows => {
    const is16Bit = size === 2 * (starts.at(-1) as number);
    const ids = is16Bit
      ? new Uint16Array(buffer, from, size / 2)
      : new Uint32Array(buffer.slice(from, from + size));
    return { ids, starts };
  };
  const list = (view: View, length: number) => packedPairs([{ bytes: new Uint8Array(...view), length }]);
  return {
    corpus: {
      ...header.facts,
      source: rows(sourceIds, uint32(sourceStarts)),
      target: rows(targetIds, uint32(targetStarts)),
      pairIndex: uint32(pairIndex),
    },
    fingerprint: header.data,
    examples: header.examples,
    fileSizes: header.fileSizes,
    dev: list(dev, header.pairs.dev),
    test: list(test, header.pairs.test),
  };
}

/** Buffer, first byte, number of bytes. */
type View = readonly [ArrayBufferLike, number, number];
