// Hypotheses: collects the tokens and scores that each decoding step reads back from the GPU. Greedy decoding
// and sampling keep independent rows; beam search follows the parents of beams.

import type { Outputs } from '../engine/gpu/output-ring.ts';
import { dead } from '../engine/ops/decoding/next-token.ts';
import type { DecodeSettings } from './decode-options.ts';

/** A decoded sequence. */
export interface Hypothesis {
  /** Target ids without start and end. */
  readonly ids: readonly number[];
  /** Sum of the log-probabilities, with the end token, divided by the length penalty. */
  readonly score: number;
  /** Sum of the log-probabilities. */
  readonly logProb: number;
  /** Whether it reached the end token; false if it was cut at the maximum length. */
  readonly ended: boolean;
}

/** Collects the hypotheses of one batch, step by step. */
export interface Search {
  /**
   * Adds the outputs of the next step. `sentences[i]` is the sentence in position i of the batch, -1 if it is
   * empty.
   */
  take(outputs: Outputs, sentences: readonly number[]): void;
  /** Whether a sentence is finished. */
  done(sentence: number): boolean;
  /** Ids of a row so far, without the end token. */
  idsOf(sentence: number, row: number): readonly number[];
  /** The hypotheses of each sentence, best first. */
  finish(): Hypothesis[][];
}

type Settings = Pick<
  DecodeSettings,
  'rows' | 'numReturn' | 'penalty' | 'wordPenalty' | 'earlyStopping' | 'maxNewTokens'
>;

/** The score of a hypothesis of `length` tokens, the end included. */
const scoreOf = ({ penalty, wordPenalty }: Settings, logProb: number, length: number): number =>
  (logProb - wordPenalty * length) / penalty(length);

/** Maximum number of tokens of each sentence, with the end. */
type Limits = (sentence: number) => number;

/** No limit but that of all sentences. */
const unlimited: Limits = () => Number.POSITIVE_INFINITY;

/** The limits of these sources; see the option `maxLengthFactor`. */
const limitsOf = (
  { maxLengthFactor }: Pick<DecodeSettings, 'maxLengthFactor'>,
  sources: readonly ArrayLike<number>[],
): Limits =>
  maxLengthFactor > 0
    ? (sentence) => Math.max(1, Math.ceil(maxLengthFactor * (sources[sentence]?.length ?? 0)))
    : unlimited;

/** Greedy decoding and sampling: each row is an independent hypothesis. */
export function createRowSearch(
  sentences: number,
  endId: number,
  s: Settings,
  limits: Limits = unlimited,
): Search {
  const rows = Array.from({ length: sentences * s.rows }, () => ({
    ids: [] as number[],
    logProb: 0,
    ended: false,
  }));
  const isDone = (sentence: number, { ids, ended }: { ids: readonly number[]; ended: boolean }) =>
    ended || ids.length >= limits(sentence);
  const rowsOf = (sentence: number) => rows.slice(sentence * s.rows, (sentence + 1) * s.rows);
  return {
    take({ token = [], logProb = [] }: Record<string, ArrayLike<number>>, order) {
      for (const [i, sentence] of order.entries()) {
        if (sentence < 0) continue;
        for (const [k, row] of rowsOf(sentence).entries()) {
          if (isDone(sentence, row)) continue;
          const id = token[i * s.rows + k] as number;
          row.logProb += logProb[i * s.rows + k] as number;
          if (id === endId) row.ended = true;
          else row.ids.push(id);
        }
      }
    },
    done: (sentence) => rowsOf(sentence).every((row) => isDone(sentence, row)),
    idsOf: (sentence, row) => rowsOf(sentence)[row]?.ids ?? [],
    finish: () =>
      Array.from({ length: sentences }, (_, b) =>
        rowsOf(b)
          .map((row) => ({ ...row, score: scoreOf(s, row.logProb, row.ids.length + (row.ended ? 1 : 0)) }))
          .sort(byScore),
      ),
  };
}

const byScore = (a: Hypothesis, b: Hypothesis): number => b.score - a.score;

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
export function createBeamSearch(sentences: number, s: Settings, limits: Limits = unlimited): Search {
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
    finished.push({ ids: idsOf(link), logProb, score: scoreOf(s, logProb, tokens), ended });
    finished.sort(byScore).splice(s.rows);
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
    const now = scoreOf(s, best, length);
    return (
      worst.score >= (s.earlyStopping === 'never' ? Math.max(now, scoreOf(s, best, s.maxNewTokens)) : now)
    );
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

/**
 * Creates the search of the decoding method for sources with their ends: beam search, or independent rows for
 * greedy decoding and sampling.
 */
export const searchFor = (
  s: DecodeSettings,
  sources: readonly ArrayLike<number>[],
  endId: number,
): Search => {
  const limits = limitsOf(s, sources);
  return s.method === 'beam'
    ? createBeamSearch(sources.length, s, limits)
    : createRowSearch(sources.length, endId, s, limits);
};
