// What decoding yields, and how it is put together on the host from the few numbers that each step reads back: rows that go their own
// way (greedy, samples), or beams that descend from one another.

import type { Outputs } from '../gpu/runner.ts';
import { dead } from '../ops/decoding/next-token.ts';
import type { DecodeSettings } from './decode-options.ts';

/** One decoded sequence. */
export interface Hypothesis {
  /** Target ids without start and end. */
  readonly ids: readonly number[];
  /** Sum of the tokens' log-probabilities, the end's included, divided by the length penalty. */
  readonly score: number;
  /** The sum itself. */
  readonly logProb: number;
  /** Whether the end came within the greatest length. */
  readonly ended: boolean;
}

/** Collects the steps of one batch. */
export interface Search {
  /** Takes the outputs of the next step; `sentences[i]` is the sentence whose rows are the i-th, -1 for none. */
  take(outputs: Outputs, sentences: readonly number[]): void;
  /** Whether a sentence needs no more steps. */
  done(sentence: number): boolean;
  /** The ids of a row so far, without its end. */
  idsOf(sentence: number, row: number): readonly number[];
  /** The hypotheses of each sentence so far, the best first. */
  finish(): Hypothesis[][];
}

type Settings = Pick<DecodeSettings, 'rows' | 'numReturn' | 'penalty' | 'earlyStopping' | 'maxNewTokens'>;

/** The search of greedy decoding and of sampling: each row is a hypothesis. */
export function createRowSearch(sentences: number, endId: number, s: Settings): Search {
  const lines = Array.from({ length: sentences * s.rows }, () => ({ ids: [] as number[], logProb: 0, ended: false }));
  const of = (sentence: number) => lines.slice(sentence * s.rows, (sentence + 1) * s.rows);
  return {
    take({ token = [], logProb = [] }: Record<string, ArrayLike<number>>, order) {
      for (const [i, sentence] of order.entries()) {
        if (sentence < 0) continue;
        for (const [k, line] of of(sentence).entries()) {
          if (line.ended) continue;
          const id = token[i * s.rows + k] as number;
          line.logProb += logProb[i * s.rows + k] as number;
          if (id === endId) line.ended = true;
          else line.ids.push(id);
        }
      }
    },
    done: (sentence) => of(sentence).every((line) => line.ended),
    idsOf: (sentence, row) => of(sentence)[row]?.ids ?? [],
    finish: () =>
      Array.from({ length: sentences }, (_, b) =>
        of(b)
          .map((line) => ({ ...line, score: line.logProb / s.penalty(line.ids.length + (line.ended ? 1 : 0)) }))
          .sort(byScore),
      ),
  };
}

const byScore = (a: Hypothesis, b: Hypothesis): number => b.score - a.score;

/** A beam's last token and the beam that it goes on from. */
interface Link {
  readonly id: number;
  readonly before: Link | undefined;
}

function idsOf(link: Link | undefined): number[] {
  const ids: number[] = [];
  for (let at = link; at; at = at.before) ids.push(at.id);
  return ids.reverse();
}

interface Beams {
  /** The running hypotheses, the best first; undefined before the first step. */
  links: (Link | undefined)[];
  totals: number[];
  /** Finished ones, the best first, at most as many as beams. */
  pool: Hypothesis[];
  done: boolean;
}

/** The search of beams. The rules are those of Hugging Face's generation, which DecodeOptions.earlyStopping describes. */
export function createBeamSearch(sentences: number, s: Settings): Search {
  const all = Array.from(
    { length: sentences },
    (): Beams => ({ links: new Array(s.rows).fill(undefined), totals: [], pool: [], done: false }),
  );
  let length = 0;
  const add = (pool: Hypothesis[], link: Link | undefined, logProb: number, tokens: number, ended: boolean): void => {
    pool.push({ ids: idsOf(link), logProb, score: logProb / s.penalty(tokens), ended });
    pool.sort(byScore).splice(s.rows);
  };
  /** Whether the pool can be left as it is, `best` being the largest sum of log-probabilities of those that run. */
  const settled = (pool: Hypothesis[], best: number): boolean => {
    const worst = pool[s.rows - 1];
    if (!worst) return false;
    if (s.earlyStopping === true) return true;
    const now = best / s.penalty(length);
    return worst.score >= (s.earlyStopping === 'never' ? Math.max(now, best / s.penalty(s.maxNewTokens)) : now);
  };
  return {
    take({ token = [], parent = [], total = [], ended = [] }: Record<string, ArrayLike<number>>, order) {
      length++;
      for (const [i, sentence] of order.entries()) {
        const beams = all[sentence];
        if (!beams || beams.done) continue;
        const rows = Array.from({ length: s.rows }, (_, k) => i * s.rows + k);
        const ends = rows.map((r) => ended[r] as number);
        for (const [k, sum] of ends.entries()) if (sum > dead) add(beams.pool, beams.links[k], sum, length, true);
        beams.links = rows.map((r) => ({ id: token[r] as number, before: beams.links[parent[r] as number] }));
        beams.totals = rows.map((r) => total[r] as number);
        beams.done = settled(beams.pool, Math.max(...beams.totals)) || beams.totals.every((sum) => sum < dead);
      }
    },
    done: (sentence) => all[sentence]?.done ?? true,
    idsOf: (sentence, row) => idsOf(all[sentence]?.links[row]),
    finish: () =>
      all.map(({ links, totals, pool, done }) => {
        const found = [...pool];
        for (const [k, sum] of totals.entries()) if (!done && sum > dead) add(found, links[k], sum, length, false);
        return found.slice(0, s.numReturn);
      }),
  };
}
