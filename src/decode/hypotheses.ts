// Hypotheses: collects the tokens and scores that each decoding step reads back from the GPU. Greedy decoding
// and sampling keep independent rows; beam-search.ts follows the parents of beams.

import type { Outputs } from '../engine/gpu/output-ring.ts';
import type { DecodeSettings } from './decode-options.ts';

/** A decoded sequence. */
export interface Hypothesis {
  /** Target ids without start and end. */
  readonly ids: readonly number[];
  /** Sum of the log-probabilities, with the end token, divided by the length penalty. */
  readonly score: number;
  /** Sum of the log-probabilities. */
  readonly logProb: number;
  /** Log-probability of each id, and of the end token if it ended. Undefined if the text is joined from parts. */
  readonly logProbs?: readonly number[];
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

/** What a search needs of the settings. */
export type SearchSettings = Pick<
  DecodeSettings,
  'rows' | 'numReturn' | 'score' | 'earlyStopping' | 'maxNewTokens'
>;

/** Maximum number of tokens of each sentence, with the end. */
export type Limits = (sentence: number) => number;

/** No limit but that of all sentences. */
export const unlimited: Limits = () => Number.POSITIVE_INFINITY;

/** Greedy decoding and sampling: each row is an independent hypothesis. */
export function createRowSearch(
  sentences: number,
  endId: number,
  s: SearchSettings,
  limits: Limits = unlimited,
): Search {
  const newRow = () => ({ ids: [] as number[], logProb: 0, logProbs: [] as number[], ended: false });
  /** The rows of each sentence. */
  const rows = Array.from({ length: sentences }, () => Array.from({ length: s.rows }, newRow));
  const isDone = (sentence: number, { ids, ended }: { ids: readonly number[]; ended: boolean }) =>
    ended || ids.length >= limits(sentence);
  return {
    take({ token = [], logProb = [] }: Record<string, ArrayLike<number>>, order) {
      for (const [i, sentence] of order.entries())
        for (const [k, row] of (rows[sentence] ?? []).entries()) {
          if (isDone(sentence, row)) continue;
          const id = token[i * s.rows + k] as number;
          const own = logProb[i * s.rows + k] as number;
          row.logProb += own;
          row.logProbs.push(own);
          if (id === endId) row.ended = true;
          else row.ids.push(id);
        }
    },
    done: (sentence) => rows[sentence]?.every((row) => isDone(sentence, row)) ?? true,
    idsOf: (sentence, row) => rows[sentence]?.[row]?.ids ?? [],
    finish: () =>
      rows.map((own) =>
        own
          .map((row) => ({ ...row, score: s.score(row.logProb, row.ids.length + (row.ended ? 1 : 0)) }))
          .sort((a, b) => b.score - a.score),
      ),
  };
}
