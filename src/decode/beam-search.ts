// Beam search on the host: follows the parents of beams through the numbers that each step reads back from the GPU.
// Loaded only by calls that search with beams.

import { dead } from '../engine/ops/decoding/next-token.ts';
import type { Hypothesis, Limits, Search, SearchSettings } from './hypotheses.ts';

/** Last token of a beam, linked to the beam that it extends. */
interface Link {
  readonly id: number;
  /** Sum of the log-probabilities up to this token. */
  readonly total: number;
  readonly before: Link | undefined;
}

/** The links of a beam, the first token first. */
function linksOf(link: Link | undefined): Link[] {
  const links: Link[] = [];
  for (let at = link; at; at = at.before) links.push(at);
  return links.reverse();
}

const idsOf = (link: Link | undefined): number[] => linksOf(link).map(({ id }) => id);

/** The beams of a sentence. */
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
export class BeamSearch implements Search {
  readonly #settings: SearchSettings;
  readonly #limits: Limits;
  readonly #sentences: readonly Beams[];
  /** Number of steps so far. */
  #length = 0;

  constructor(sentences: number, settings: SearchSettings, limits: Limits = () => Number.POSITIVE_INFINITY) {
    this.#settings = settings;
    this.#limits = limits;
    this.#sentences = Array.from({ length: sentences }, () => ({
      links: new Array(settings.rows).fill(undefined),
      totals: [],
      finished: [],
      done: false,
      isCut: false,
    }));
  }

  take(
    { token = [], parent = [], total = [], ended = [] }: Record<string, ArrayLike<number>>,
    order: readonly number[],
  ): void {
    const { rows: width, maxNewTokens } = this.#settings;
    this.#length++;
    for (const [i, sentence] of order.entries()) {
      const beams = this.#sentences[sentence];
      if (!beams || beams.done) continue;
      const rows = Array.from({ length: width }, (_, k) => i * width + k);
      const ends = rows.map((r) => ended[r] as number);
      for (const [k, sum] of ends.entries())
        if (sum > dead) this.#add(beams.finished, beams.links[k], sum, this.#length, true);
      beams.totals = rows.map((r) => total[r] as number);
      beams.links = rows.map((r, k) => ({
        id: token[r] as number,
        total: beams.totals[k] as number,
        before: beams.links[parent[r] as number],
      }));
      // At the last position the running hypotheses count, too, even if the search is full since this step.
      beams.isCut = this.#length >= Math.min(this.#limits(sentence), maxNewTokens);
      beams.done =
        beams.isCut ||
        this.#isDone(beams.finished, Math.max(...beams.totals)) ||
        beams.totals.every((sum) => sum < dead);
    }
  }

  done(sentence: number): boolean {
    return this.#sentences[sentence]?.done ?? true;
  }

  idsOf(sentence: number, row: number): readonly number[] {
    return idsOf(this.#sentences[sentence]?.links[row]);
  }

  finish(): Hypothesis[][] {
    return this.#sentences.map(({ links, totals, finished, done, isCut }) => {
      const hypotheses = [...finished];
      for (const [k, sum] of totals.entries())
        if ((!done || isCut) && sum > dead)
          this.#add(hypotheses, links[k], sum, idsOf(links[k]).length, false);
      return hypotheses.slice(0, this.#settings.numReturn);
    });
  }

  /** Adds a hypothesis to a list that is sorted by score, and keeps the best ones. */
  #add(to: Hypothesis[], link: Link | undefined, logProb: number, tokens: number, ended: boolean): void {
    const { score, rows } = this.#settings;
    const links = linksOf(link);
    const totals = [0, ...links.map(({ total }) => total), ...(ended ? [logProb] : [])];
    const logProbs = totals.slice(1).map((total, i) => total - (totals[i] as number));
    const ids = links.map(({ id }) => id);
    to.push({ ids, logProb, logProbs, score: score(logProb, tokens), ended });
    to.sort((a, b) => b.score - a.score).splice(rows);
  }

  /**
   * Whether no running hypothesis can enter `finished`. `best` is the largest log-probability of those that
   * run.
   */
  #isDone(finished: readonly Hypothesis[], best: number): boolean {
    const { rows, score, earlyStopping, maxNewTokens } = this.#settings;
    const worst = finished[rows - 1];
    if (!worst || earlyStopping === 'shrink') return false;
    if (earlyStopping === true) return true;
    const now = score(best, this.#length);
    return worst.score >= (earlyStopping === 'never' ? Math.max(now, score(best, maxNewTokens)) : now);
  }
}
