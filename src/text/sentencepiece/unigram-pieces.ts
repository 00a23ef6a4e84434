// The pieces of a Unigram model while it is trained by expectation-maximization and pruning. The algorithm is that of
// SentencePiece (Kudo 2018, https://arxiv.org/abs/1804.10959).

import { digamma, logAdd } from '../../core/log-math.ts';
import type { Steps } from '../../core/steps.ts';
import { add, type RunTable, type SeedPieces } from './seed-pieces.ts';

/** A trained piece and its log-probability. */
export interface ScoredPiece {
  readonly text: string;
  readonly score: number;
}

/** Share of the pieces that a pruning keeps. */
const keptShare = 0.75;
/** Pieces with fewer expected occurrences are dropped. */
const minExpected = 0.5;

/** The pieces of a model in training, and where they occur in the runs. */
export class UnigramPieces {
  readonly table: RunTable;
  /** Number of pieces: first the characters of the alphabet, then longer ones. */
  size: number;
  /** For each piece its number of characters, a place where it occurs, and its log-probability. */
  #lengths: Uint8Array;
  #places: Int32Array;
  #scores: Float64Array;
  /** The longer pieces that start at place i are `edges[edgeStarts[i] .. edgeStarts[i + 1])`, by increasing length. */
  #edgeStarts: Int32Array;
  #edges: Int32Array;
  /** The character of each of the first pieces, and the piece of each character, -1 if it was dropped. */
  #pieceOfCharacter: Int32Array;
  /** Expected number of occurrences of each piece. */
  #expected: Float64Array;
  /** Mean log-probability of a character, which scales sums of probabilities to about 1. */
  #logCharacter: number;

  constructor(table: RunTable, seeds: SeedPieces) {
    const { alphabet, alphabetCounts, characters } = table;
    const c = alphabet.length;
    this.table = table;
    this.size = c + seeds.lengths.length;
    this.#lengths = new Uint8Array(this.size).fill(1, 0, c);
    this.#lengths.set(seeds.lengths, c);
    this.#places = new Int32Array(this.size);
    for (let place = characters.length - 1; place >= 0; place--)
      if ((characters[place] as number) < c) this.#places[characters[place] as number] = place;
    this.#places.set(seeds.places, c);
    const weights = new Float64Array(this.size);
    weights.set(alphabetCounts);
    weights.set(seeds.scores, c);
    const logSum = Math.log(weights.reduce((sum, weight) => sum + weight, 0));
    this.#scores = weights.map((weight) => Math.log(weight) - logSum);
    this.#edgeStarts = seeds.edgeStarts;
    this.#edges = seeds.edges.map((piece) => piece + c);
    this.#pieceOfCharacter = Int32Array.from({ length: c }, (_, i) => i);
    this.#expected = new Float64Array(this.size);
    const total = alphabetCounts.reduce((sum, count) => sum + count, 0);
    this.#logCharacter = alphabetCounts.reduce(
      (sum, count, i) => sum + ((count / total) * (this.#scores[i] as number)) / 2,
      0,
    );
  }

  /** The pieces as text. */
  scoredPieces(): ScoredPiece[] {
    const { characters, alphabet } = this.table;
    return Array.from({ length: this.size }, (_, piece) => {
      const place = this.#places[piece] as number;
      let text = '';
      for (let i = 0; i < (this.#lengths[piece] as number); i++)
        text += alphabet[characters[place + i] as number];
      return { text, score: this.#scores[piece] as number };
    });
  }

  /** Expectation: the expected number of occurrences of each piece, over all segmentations of each run. */
  *expectSteps(): Steps<void> {
    const { starts, counts } = this.table;
    const expected = new Float64Array(this.size);
    const scale = this.#logCharacter;
    // Probabilities times a constant per character, so that products over a run neither under- nor overflow.
    const scaled = this.#scores.map((score, i) => Math.exp(score - scale * (this.#lengths[i] as number)));
    let [logSum, characters] = [0, 0];
    for (let run = 0; run < counts.length; run++) {
      const [from, to] = [starts[run] as number, (starts[run + 1] as number) - 1];
      const count = counts[run] as number;
      let log = this.#expectRun(from, to, count, scaled, expected);
      if (log === undefined) log = this.#expectLong(from, to, count, expected);
      else log += scale * (to - from);
      logSum += log * count;
      characters += (to - from) * count;
      if (run % 4096 === 0) yield { task: 'train tokenizer', done: 0, total: 0 };
    }
    this.#logCharacter = logSum / characters;
    this.#expected = expected;
  }

  /** Forward and backward probabilities at each place of a run; reused. */
  #alpha = new Float64Array(1024);
  #beta = new Float64Array(1024);

  #reserve(length: number): void {
    if (this.#alpha.length > length) return;
    this.#alpha = new Float64Array(2 * length);
    this.#beta = new Float64Array(2 * length);
  }

  /** Forward-backward over a run; undefined, and no change, if its probability is out of range. */
  #expectRun(
    from: number,
    to: number,
    count: number,
    scaled: Float64Array,
    expected: Float64Array,
  ): number | undefined {
    const n = to - from;
    this.#reserve(n);
    const [alpha, beta, starts, edges, lengths] = [
      this.#alpha,
      this.#beta,
      this.#edgeStarts,
      this.#edges,
      this.#lengths,
    ];
    const { characters } = this.table;
    alpha.fill(0, 0, n + 1);
    alpha[0] = 1;
    for (let i = 0; i < n; i++) {
      const a = alpha[i] as number;
      const single = this.#pieceOfCharacter[characters[from + i] as number] as number;
      if (single >= 0) add(alpha, i + 1, a * (scaled[single] as number));
      for (let e = starts[from + i] as number; e < (starts[from + i + 1] as number); e++) {
        const piece = edges[e] as number;
        add(alpha, i + (lengths[piece] as number), a * (scaled[piece] as number));
      }
    }
    const total = alpha[n] as number;
    if (!(total > 1e-280 && total < 1e280)) return undefined;
    const weight = count / total;
    beta[n] = 1;
    for (let i = n - 1; i >= 0; i--) {
      let sum = 0;
      const a = (alpha[i] as number) * weight;
      const single = this.#pieceOfCharacter[characters[from + i] as number] as number;
      if (single >= 0) {
        const b = (scaled[single] as number) * (beta[i + 1] as number);
        sum += b;
        add(expected, single, a * b);
      }
      for (let e = starts[from + i] as number; e < (starts[from + i + 1] as number); e++) {
        const piece = edges[e] as number;
        const b = (scaled[piece] as number) * (beta[i + (lengths[piece] as number)] as number);
        sum += b;
        add(expected, piece, a * b);
      }
      beta[i] = sum;
    }
    return Math.log(total);
  }

  /** The same in logarithms, for long runs of rare characters. */
  #expectLong(from: number, to: number, count: number, expected: Float64Array): number {
    const n = to - from;
    this.#reserve(n);
    const [alpha, beta] = [this.#alpha, this.#beta];
    alpha.fill(Number.NEGATIVE_INFINITY, 0, n + 1);
    beta.fill(Number.NEGATIVE_INFINITY, 0, n + 1);
    alpha[0] = 0;
    for (let i = 0; i < n; i++)
      this.#eachPiece(from + i, (piece, length) => {
        alpha[i + length] = logAdd(
          alpha[i + length] as number,
          (alpha[i] as number) + (this.#scores[piece] as number),
        );
      });
    const total = alpha[n] as number;
    if (total === Number.NEGATIVE_INFINITY) return 0;
    beta[n] = 0;
    for (let i = n - 1; i >= 0; i--)
      this.#eachPiece(from + i, (piece, length) => {
        const log = (this.#scores[piece] as number) + (beta[i + length] as number);
        beta[i] = logAdd(beta[i] as number, log);
        add(expected, piece, count * Math.exp((alpha[i] as number) + log - total));
      });
    return total;
  }

  /** Calls `use` with each piece that starts at a place, by increasing length. */
  #eachPiece(place: number, use: (piece: number, length: number) => void): void {
    const single = this.#pieceOfCharacter[this.table.characters[place] as number] as number;
    if (single >= 0) use(single, 1);
    for (let e = this.#edgeStarts[place] as number; e < (this.#edgeStarts[place + 1] as number); e++) {
      const piece = this.#edges[e] as number;
      use(piece, this.#lengths[piece] as number);
    }
  }

  /** Maximization: drops pieces that hardly occur, and sets the scores (Bayesian, with the digamma function). */
  maximize(): void {
    const expected = this.#expected;
    this.#keep(expected.map((count, piece) => Number(count >= minExpected || this.#isNeeded(piece))));
    const kept = this.#expected;
    const logSum = digamma(kept.reduce((sum, count) => sum + count, 0));
    this.#scores = kept.map((count) => digamma(Math.max(count, minExpected)) - logSum);
  }

  /** Characters stay, so that every run has a segmentation. */
  #isNeeded(piece: number): boolean {
    return this.#lengths[piece] === 1;
  }

  /** Removes the pieces that cost least, down to a share of them or to `wanted`. */
  *pruneSteps(wanted: number): Steps<void> {
    const size = this.size;
    const { starts, counts } = this.table;
    // How each piece is segmented without itself; empty if its best segmentation has several pieces anyway.
    const alternatives: (Int32Array | undefined)[] = Array(size).fill(undefined);
    const splits = new Uint8Array(size);
    for (let piece = 0; piece < size; piece++) {
      const length = this.#lengths[piece] as number;
      if (length === 1) continue;
      const place = this.#places[piece] as number;
      const { path, score } = this.#bestPath(place, place + length, piece);
      if (score > (this.#scores[piece] as number)) splits[piece] = 1;
      alternatives[piece] = Int32Array.from(path);
      if (piece % 8192 === 0) yield { task: 'train tokenizer', done: 0, total: 0 };
    }
    // Occurrences in the best segmentations, and in how many runs.
    const occurrences = new Float64Array(size);
    const runs = new Float64Array(size);
    const lastRun = new Int32Array(size).fill(-1);
    for (let run = 0; run < counts.length; run++) {
      const count = counts[run] as number;
      for (const piece of this.#bestPath(starts[run] as number, (starts[run + 1] as number) - 1, -1).path) {
        add(occurrences, piece, count);
        if (lastRun[piece] === run) continue;
        lastRun[piece] = run;
        add(runs, piece, count);
      }
      if (run % 4096 === 0) yield { task: 'train tokenizer', done: 0, total: 0 };
    }
    const sum = occurrences.reduce((all, count) => all + count, 0);
    const kept = new Float64Array(size);
    const losses: { piece: number; loss: number }[] = [];
    let keptCount = 0;
    for (let piece = 0; piece < size; piece++) {
      const other = alternatives[piece];
      if (other === undefined) {
        kept[piece] = 1;
        keptCount++;
        continue;
      }
      const count = occurrences[piece] as number;
      if (count === 0 || splits[piece]) continue;
      const log = Math.log(count) - Math.log(sum);
      const logSum = Math.log(sum + count * (other.length - 1));
      let logOther = 0;
      for (const part of other) logOther += Math.log((occurrences[part] as number) + count) - logSum;
      losses.push({ piece, loss: (runs[piece] as number) * (log - logOther) });
    }
    const target = Math.max(wanted, Math.floor(keptShare * size));
    losses.sort((a, b) => b.loss - a.loss || a.piece - b.piece);
    for (const { piece } of losses.slice(0, Math.max(0, target - keptCount))) kept[piece] = 1;
    this.#keep(kept);
  }

  /** Best score up to each place, and the piece that ends there; reused. */
  #best = new Float64Array(1024);
  #via = new Int32Array(1024);

  /** Viterbi over characters [from, to): the best pieces, without `excluded`. */
  #bestPath(from: number, to: number, excluded: number): { path: number[]; score: number } {
    const n = to - from;
    if (this.#best.length <= n) {
      this.#best = new Float64Array(2 * n);
      this.#via = new Int32Array(2 * n);
    }
    const [best, via, starts, edges, lengths, scores] = [
      this.#best,
      this.#via,
      this.#edgeStarts,
      this.#edges,
      this.#lengths,
      this.#scores,
    ];
    const { characters } = this.table;
    best.fill(Number.NEGATIVE_INFINITY, 0, n + 1);
    best[0] = 0;
    for (let i = 0; i < n; i++) {
      const before = best[i] as number;
      const single = this.#pieceOfCharacter[characters[from + i] as number] as number;
      const sum = before + (scores[single] as number);
      if (sum > (best[i + 1] as number)) {
        best[i + 1] = sum;
        via[i + 1] = single;
      }
      for (let e = starts[from + i] as number; e < (starts[from + i + 1] as number); e++) {
        const piece = edges[e] as number;
        const end = i + (lengths[piece] as number);
        if (end > n) break; // by increasing length
        const score = before + (scores[piece] as number);
        if (piece === excluded || !(score > (best[end] as number))) continue;
        best[end] = score;
        via[end] = piece;
      }
    }
    const path: number[] = [];
    for (let at = n; at > 0; ) {
      const piece = via[at] as number;
      path.push(piece);
      at -= lengths[piece] as number;
    }
    return { path, score: best[n] as number };
  }

  /** Keeps the pieces that are not 0 in `kept`. */
  #keep(kept: Float64Array): void {
    const size = kept.reduce((n, keep) => n + Number(keep !== 0), 0);
    if (size === this.size) return;
    const renamed = new Int32Array(this.size).fill(-1);
    let next = 0;
    for (let piece = 0; piece < this.size; piece++) if (kept[piece]) renamed[piece] = next++;
    const pick = <A extends { [i: number]: number }>(from: A, to: A): A => {
      for (let piece = 0; piece < this.size; piece++)
        if ((renamed[piece] as number) >= 0) to[renamed[piece] as number] = from[piece] as number;
      return to;
    };
    this.#lengths = pick(this.#lengths, new Uint8Array(size));
    this.#places = pick(this.#places, new Int32Array(size));
    this.#scores = pick(this.#scores, new Float64Array(size));
    this.#expected = pick(this.#expected, new Float64Array(size));
    this.#pieceOfCharacter = this.#pieceOfCharacter.map((piece) =>
      piece < 0 ? -1 : (renamed[piece] as number),
    );
    const starts = new Int32Array(this.#edgeStarts.length);
    let at = 0;
    for (let place = 0; place + 1 < starts.length; place++) {
      const [from, to] = [this.#edgeStarts[place] as number, this.#edgeStarts[place + 1] as number];
      starts[place] = at;
      for (let e = from; e < to; e++) {
        const piece = renamed[this.#edges[e] as number] as number;
        if (piece >= 0) this.#edges[at++] = piece;
      }
    }
    starts[starts.length - 1] = at;
    this.#edgeStarts = starts;
    this.#edges = this.#edges.subarray(0, at);
    this.size = size;
  }
}
