// Beam search on the host: follows the parents of beams through the numbers that each step reads back from the GPU.
// Loaded only by calls that search with beams.

import { dead } from '../engine/ops/decoding/next-token.ts';
import type { Hypothesis, Limits, Search, SearchSettings } from './hypotheses.ts';

/** Last token of a beam, linked to the beam that it extends. */
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
  /** Running hypotheses, best first; undefined before the first step. */
  links: (Link | undefined)[];
  /** Sum of the log-probabilities of each running hypothesis. */
  totals: number[];
  /** Finished hypotheses, best first, at most as many as beams. */
  finished: Hypothesis[];
  done: boolean;
  /** Whether it is done because its running hypotheses have the maximum length: they count too. */
  isCut: boolean;
}

/** Beam search with the stopping rules of transformers' generation; see DecodeOptions.earlyStopping. */
export function createBeamSearch(
  sentences: number,
  s: SearchSettings,
  limits: Limits = () => Number.POSITIVE_INFINITY,
): Search {
  const all = Array.from(
    { length: sentences },
    (): Beams => ({
      links: new Array(s.rows).fill(undefined),
      totals: [],
      finished: [],
      done: false,
      isCut: false,
    }),
  );
  let length = 0;
  const add = (
    finished: Hypothesis[],
    link: Link | undefined,
    logProb: number,
    tokens: number,
    ended: boolean,
  ): void => {
    finished.push({ ids: idsOf(link), logProb, score: s.score(logProb, tokens), ended });
    finished.sort((a, b) => b.score - a.score).splice(s.rows);
  };
  /**
   * Whether no running hypothesis can enter `finished`. `best` is the largest log-probability of those that
   * run.
   */
  const isDone = (finished: Hypothesis[], best: number): boolean => {
    const worst = finished[s.rows - 1];
    if (!worst) return false;
    if (s.earlyStopping === 'shrink') return false;
    if (s.earlyStopping === true) return true;
    const now = s.score(best, length);
    return worst.score >= (s.earlyStopping === 'never' ? Math.max(now, s.score(best, s.maxNewTokens)) : now);
  };
  return {
    take({ token = [], parent = [], total = [], ended = [] }: Record<string, ArrayLike<number>>, order) {
      length++;
      for (const [i, sentence] of order.entries()) {
        const beams = all[sentence];
        if (!beams || beams.done) continue;
        const rows = Array.from({ length: s.rows }, (_, k) => i * s.rows + k);
        const ends = rows.map((r) => ended[r] as number);
        for (const [k, sum] of ends.entries())
          if (sum > dead) add(beams.finished, beams.links[k], sum, length, true);
        beams.links = rows.map((r) => ({ id: token[r] as number, before: beams.links[parent[r] as number] }));
        beams.totals = rows.map((r) => total[r] as number);
        beams.done =
          isDone(beams.finished, Math.max(...beams.totals)) || beams.totals.every((sum) => sum < dead);
        if (!beams.done && length >= limits(sentence)) {
          beams.done = true;
          beams.isCut = true;
        }
      }
    },
    done: (sentence) => all[sentence]?.done ?? true,
    idsOf: (sentence, row) => idsOf(all[sentence]?.links[row]),
    finish: () =>
      all.map(({ links, totals, finished, done, isCut }) => {
        const hypotheses = [...finished];
        for (const [k, sum] of totals.entries())
          if ((!done || isCut) && sum > dead) add(hypotheses, links[k], sum, idsOf(links[k]).length, false);
        return hypotheses.slice(0, s.numReturn);
      }),
  };
}
