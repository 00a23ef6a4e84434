// The first pieces of Unigram training: texts that occur at least twice in the counted runs, found as the nodes
// of a suffix tree (a sorted suffix array and its common prefixes), and where each occurs.

import type { Steps } from '../../core/steps.ts';

/** Counted runs as characters, without the characters that get no piece. */
export interface RunTable {
  /** Characters of all runs, as indices into `alphabet`; `alphabet.length` ends each run. */
  readonly characters: Int32Array;
  /** Start of each run in `characters`, and the end of the last. */
  readonly starts: Int32Array; // [runs + 1]
  /** How often each run occurs. */
  readonly counts: Float64Array; // [runs]
  /** The number of distinct words that have each run. */
  readonly words: Float64Array; // [runs]
  readonly alphabet: readonly string[];
  /** How often each character occurs. */
  readonly alphabetCounts: Float64Array;
}

/** Pieces of two or more characters, and the places where they occur. */
export interface SeedPieces {
  /** Number of characters of each piece. */
  readonly lengths: Uint8Array;
  /** A place of each piece in `characters`. */
  readonly places: Int32Array;
  /** Number of its occurrences times its length. */
  readonly scores: Float64Array;
  /** The pieces that start at place i are `edges[edgeStarts[i] .. edgeStarts[i + 1])`, by increasing length. */
  readonly edgeStarts: Int32Array;
  readonly edges: Int32Array;
}

/** Maximum number of characters of a piece, as in SentencePiece. */
const maxPieceLength = 16;

/**
 * Number of distinct words of a run whose end is a seed, unless another text has it too: a word that occurs in one
 * context only would take the place of pieces that rare words share.
 */
const minWords = 2;

/** Finds at most `count` seed pieces. */
export function* seedPieceSteps(table: RunTable, count: number): Steps<SeedPieces> {
  const { characters } = table;
  const end = table.alphabet.length;
  const suffixes = yield* suffixSteps(characters, end);
  const n = suffixes.length;
  // Common prefix of each suffix with the one before it, within a run and a piece's length.
  const common = new Uint8Array(n + 1);
  for (let i = 1; i < n; i++)
    common[i] = commonPrefix(characters, suffixes[i - 1] as number, suffixes[i] as number, end);
  yield { task: 'find pieces', done: 1, total: 3 };
  const nodes = new NodeList();
  // Sum of the counts of the runs of suffixes[0, i).
  const sums = suffixSums(table, suffixes);
  const words = wordsOf(table, suffixes);
  const [depths, firsts]: [number[], number[]] = [[0], [0]];
  for (let i = 1; i <= n; i++) {
    const depth = common[i] as number;
    let first = i - 1;
    while (depth < (depths.at(-1) as number)) {
      const length = depths.pop() as number;
      first = firsts.pop() as number;
      if (length >= 2) nodes.push(length, first, i);
    }
    // The end of a run that is part of no other one.
    if ((words[i - 1] as number) >= minWords) {
      const length = runLength(characters, suffixes[i - 1] as number, end);
      const isNode = Math.max(common[i - 1] as number, depth) >= length;
      if (length >= 2 && length <= maxPieceLength && !isNode) nodes.push(length, i - 1, i);
    }
    if (depth > (depths.at(-1) as number)) {
      depths.push(depth);
      firsts.push(first);
    }
  }
  yield { task: 'find pieces', done: 2, total: 3 };
  const chosen = nodes.best(count, sums);
  const size = chosen.length;
  const lengths = new Uint8Array(size);
  const places = new Int32Array(size);
  const scores = new Float64Array(size);
  const edgeStarts = new Int32Array(characters.length + 1);
  for (const [piece, node] of chosen.entries()) {
    const [length, from, to] = nodes.at(node);
    lengths[piece] = length;
    places[piece] = suffixes[from] as number;
    scores[piece] = occurrences(sums, from, to) * length;
    for (let i = from; i < to; i++) add(edgeStarts, (suffixes[i] as number) + 1, 1);
  }
  for (let i = 0; i < characters.length; i++)
    edgeStarts[i + 1] = (edgeStarts[i + 1] as number) + (edgeStarts[i] as number);
  const edges = new Int32Array(edgeStarts[characters.length] as number);
  const next = edgeStarts.slice();
  // By length, so that the pieces at a place are in this order.
  const byLength = Int32Array.from(chosen.keys()).sort(
    (a, b) => (lengths[a] as number) - (lengths[b] as number) || a - b,
  );
  for (const piece of byLength) {
    const [, from, to] = nodes.at(chosen[piece] as number);
    for (let i = from; i < to; i++) {
      const place = suffixes[i] as number;
      edges[next[place] as number] = piece;
      add(next, place, 1);
    }
  }
  yield { task: 'find pieces', done: 3, total: 3 };
  return { lengths, places, scores, edgeStarts, edges };
}

/** Nodes of the suffix tree: depth and range of suffixes. */
class NodeList {
  #data = new Int32Array(3 * 1024);
  #count = 0;

  push(length: number, from: number, to: number): void {
    if (3 * this.#count === this.#data.length) {
      const larger = new Int32Array(2 * this.#data.length);
      larger.set(this.#data);
      this.#data = larger;
    }
    this.#data.set([length, from, to], 3 * this.#count++);
  }

  at(node: number): [number, number, number] {
    return [
      this.#data[3 * node] as number,
      this.#data[3 * node + 1] as number,
      this.#data[3 * node + 2] as number,
    ];
  }

  /** The `count` nodes with the largest number of occurrences times length; of equal ones the first. */
  best(count: number, sums: Float64Array): Int32Array {
    const scores = Float64Array.from({ length: this.#count }, (_, node) => {
      const [length, from, to] = this.at(node);
      return occurrences(sums, from, to) * length;
    });
    const all = Int32Array.from(scores.keys());
    if (this.#count <= count) return all;
    const limit = scores.slice().sort()[this.#count - count] as number;
    let ties = count - scores.reduce((n, score) => n + Number(score > limit), 0);
    return all.filter((node) => {
      const score = scores[node] as number;
      return score > limit || (score === limit && ties-- > 0);
    });
  }
}

const occurrences = (sums: Float64Array, from: number, to: number): number =>
  (sums[to] as number) - (sums[from] as number);

function suffixSums({ starts, counts, characters }: RunTable, suffixes: Int32Array): Float64Array {
  const runOf = new Int32Array(characters.length);
  for (let run = 0; run < counts.length; run++) runOf.fill(run, starts[run], starts[run + 1]);
  const sums = new Float64Array(suffixes.length + 1);
  for (let i = 0; i < suffixes.length; i++)
    sums[i + 1] = (sums[i] as number) + (counts[runOf[suffixes[i] as number] as number] as number);
  return sums;
}

/** The number of words of each suffix. */
function wordsOf({ starts, words, characters }: RunTable, suffixes: Int32Array): Float64Array {
  const all = new Float64Array(characters.length);
  for (let run = 0; run < words.length; run++) all.fill(words[run] as number, starts[run], starts[run + 1]);
  return Float64Array.from(suffixes, (place) => all[place] as number);
}

/** Number of characters to the end of a run; more than a piece has if it is longer. */
function runLength(characters: Int32Array, place: number, end: number): number {
  let length = 0;
  while (length <= maxPieceLength && characters[place + length] !== end) length++;
  return length;
}

function commonPrefix(characters: Int32Array, a: number, b: number, end: number): number {
  let length = 0;
  while (length < maxPieceLength) {
    const character = characters[a + length] as number;
    if (character === end || character !== characters[b + length]) break;
    length++;
  }
  return length;
}

/**
 * The places of all characters but the ends of runs, in the order of the texts that start there: by their first
 * characters up to the end of the run or the length of a piece, then by place.
 */
function* suffixSteps(characters: Int32Array, end: number): Steps<Int32Array> {
  // Counting sort by the first character; then each bucket is sorted by three-way radix quicksort.
  const bucketStarts = new Int32Array(end + 2);
  for (const character of characters) add(bucketStarts, character + 1, 1);
  for (let i = 0; i <= end; i++)
    bucketStarts[i + 1] = (bucketStarts[i + 1] as number) + (bucketStarts[i] as number);
  const suffixes = new Int32Array(bucketStarts[end] as number);
  const next = bucketStarts.slice();
  for (let place = 0; place < characters.length; place++) {
    const character = characters[place] as number;
    if (character === end) continue;
    suffixes[next[character] as number] = place;
    add(next, character, 1);
  }
  for (let character = 0; character < end; character++) {
    sortSuffixes(suffixes, bucketStarts[character] as number, bucketStarts[character + 1] as number, 1);
    if (character % 8 === 0)
      yield { task: 'sort texts', done: bucketStarts[character + 1] as number, total: suffixes.length };
  }
  return suffixes;

  /** Sorts suffixes[from, to), which share `depth` characters. */
  function sortSuffixes(list: Int32Array, first: number, last: number, start: number): void {
    let [from, to, depth] = [first, last, start];
    while (to - from > 1 && depth < maxPieceLength) {
      if (to - from <= 12) {
        insertionSort(list, from, to, depth);
        return;
      }
      const middle = (from + to) >> 1;
      const pivot = median(at(list, from, depth), at(list, middle, depth), at(list, to - 1, depth));
      let [less, greater, i] = [from, to, from];
      while (i < greater) {
        const character = at(list, i, depth);
        if (character < pivot) swap(list, less++, i++);
        else if (character > pivot) swap(list, i, --greater);
        else i++;
      }
      sortSuffixes(list, from, less, depth);
      sortSuffixes(list, greater, to, depth);
      if (pivot === end) {
        list.subarray(less, greater).sort();
        return;
      }
      [from, to, depth] = [less, greater, depth + 1];
    }
    if (to - from > 1) list.subarray(from, to).sort();
  }
  function at(list: Int32Array, i: number, depth: number): number {
    return characters[(list[i] as number) + depth] as number;
  }
  function insertionSort(list: Int32Array, from: number, to: number, depth: number): void {
    for (let i = from + 1; i < to; i++) {
      const place = list[i] as number;
      let j = i;
      for (; j > from && isBefore(place, list[j - 1] as number, depth); j--) list[j] = list[j - 1] as number;
      list[j] = place;
    }
  }
  function isBefore(a: number, b: number, depth: number): boolean {
    for (let d = depth; d < maxPieceLength; d++) {
      const [x, y] = [characters[a + d] as number, characters[b + d] as number];
      if (x !== y) return x < y;
      if (x === end) break;
    }
    return a < b;
  }
}

/** Adds to an element. */
export function add(list: Int32Array | Float64Array, i: number, value: number): void {
  list[i] = (list[i] as number) + value;
}

function swap(list: Int32Array, i: number, j: number): void {
  const place = list[i] as number;
  list[i] = list[j] as number;
  list[j] = place;
}

const median = (a: number, b: number, c: number): number =>
  Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
