// Encodes pairs whose sources name frames: clips of speech, or lines of text that are drawn.

import { HeddleError, reasonOf } from '../../../core/errors.ts';
import { filePath, listed, type Message, msg } from '../../../core/message.ts';
import type { Pace } from '../../../core/steps.ts';
import type { ModelConfig } from '../../../model/model-config.ts';
import type { EncodedCorpus, EncodeOptions, VectorRow } from '../../../text/batches/encoded-corpus.ts';
import type { PairList } from '../../../text/corpus/pairs.ts';
import type { Tokenizer } from '../../../text/tokenizers/tokenizer.ts';
import type { CacheProblem } from '../../../train/data/cache-file.ts';
import { startsOf } from '../batches/frame-masks.ts';
import { FrameRows } from '../batches/frame-rows.ts';
import { frames } from '../frame-source.ts';
import type { FrameCache } from './frame-cache.ts';

/** Why stored frames are not used. */
const cacheProblems: Readonly<Record<CacheProblem, Message>> = {
  damaged: msg`it is damaged`,
  outdated: msg`it has the frames of other settings`,
};

/** Number of sources that are named in a message. */
const named = 5;

/** Encodes pairs with the frames of their sources. */
export class FrameEncoder {
  readonly prefix: readonly number[];
  readonly #cache: FrameCache;
  readonly #newPace: () => Pace;
  readonly #warn: (warning: Message) => void;

  /** `prefix`: tokens that each target starts with, after the start token. */
  constructor(
    cache: FrameCache,
    prefix: readonly number[],
    newPace: () => Pace,
    warn: (warning: Message) => void,
  ) {
    this.prefix = prefix;
    this.#cache = cache;
    this.#newPace = newPace;
    this.#warn = warn;
  }

  async encode(
    pairs: PairList,
    c: ModelConfig,
    target: Tokenizer,
    { maxTarget, truncate = false }: Pick<EncodeOptions, 'maxTarget' | 'truncate'>,
  ): Promise<EncodedCorpus> {
    const pace = this.#newPace();
    const problem = await this.#cache.open(pace);
    if (problem)
      this.#warn(msg`${filePath(this.#cache.path)}: ${cacheProblems[problem]}; computing the frames again`);
    const rows: VectorRow[] = [];
    const targets: number[][] = [];
    const indices: number[] = [];
    const counts = { tooLong: 0, truncated: 0, empty: 0, unknown: 0 };
    const unreadable: HeddleError[] = [];
    const maxSource = frames.maxLength(c);
    let index = -1;
    for (const pair of pairs) {
      index++;
      await pace({ task: 'frames', done: index, total: pairs.length });
      const text = target.encode(pair.target);
      const ids = [...this.prefix, ...text];
      const row = await this.#framesOf(pair.source, unreadable);
      if (!row) continue;
      if (text.length === 0) {
        counts.empty++;
        continue;
      }
      if (row.length > maxSource || (ids.length + 1 > maxTarget && !truncate)) {
        counts.tooLong++;
        continue;
      }
      if (ids.length + 1 > maxTarget) {
        counts.truncated++;
        ids.length = maxTarget - 1;
      }
      for (const id of text) if (id === target.special.unknown) counts.unknown++;
      rows.push(row);
      targets.push(ids);
      indices.push(index);
    }
    if (unreadable.length > 0) this.#report(unreadable, rows.length);
    return {
      count: rows.length,
      source: { ids: new Uint16Array(), starts: startsOf(rows.map(({ length }) => length)) },
      sourceRows: new FrameRows(c.frameWidth, maxSource / frames.positions(c, maxSource), rows),
      target: {
        ids: target.size <= 2 ** 16 ? Uint16Array.from(targets.flat()) : Uint32Array.from(targets.flat()),
        starts: startsOf(targets.map(({ length }) => length)),
      },
      pairIndex: Uint32Array.from(indices),
      sourceSpecial: target.special,
      targetSpecial: target.special,
      tooLong: counts.tooLong,
      truncated: counts.truncated,
      empty: counts.empty,
      unknown: { source: 0, target: counts.unknown },
      limits: { source: maxSource, target: maxTarget },
    };
  }

  /** The frames of a source; undefined if it cannot be read, which `unreadable` then says. */
  async #framesOf(source: string, unreadable: HeddleError[]): Promise<VectorRow | undefined> {
    try {
      return await this.#cache.framesOf(source);
    } catch (error) {
      if (!(error instanceof HeddleError)) throw error;
      unreadable.push(error);
      return undefined;
    }
  }

  /** Reports sources that cannot be read; throws the first error if none can. */
  #report(unreadable: readonly HeddleError[], read: number): void {
    if (read === 0) throw unreadable[0];
    const count = unreadable.length;
    const reasons = listed(unreadable.slice(0, named).map(reasonOf), '; ');
    const more = count > named ? msg`; and ${count - named} more` : '';
    this.#warn(msg`${count} of ${count + read} clips are left out: ${reasons}${more}`);
  }

  /** Stores the frames, see `FrameCache.write`. */
  write(): Promise<void> {
    return this.#cache.write();
  }
}
