// The edit distance of TER: insertions, deletions and substitutions of words, without shifts, as tercom searches for them.

/**
 * What an edit does, as a path in the matrix of distances: keep or substitute a word, remove a word that the reference
 * lacks, insert a word of the reference.
 */
const [keep, substitute, remove, insert] = [1, 2, 3, 4] as const;

/**
 * What operations say: `targetOf`: for each word of the reference the index of its word, or of the word before it (-1 at
 * the start); `wrongWords` and `wrongReference`: which words differ.
 */
export function alignment(operations: readonly number[]) {
  const targetOf: number[] = [];
  const [wrongWords, wrongReference]: [boolean[], boolean[]] = [[], []];
  for (const operation of operations) {
    if (operation !== insert) wrongWords.push(operation !== keep);
    if (operation === remove) continue;
    targetOf.push(wrongWords.length - 1);
    wrongReference.push(operation !== keep);
  }
  return { targetOf, wrongWords, wrongReference };
}

/** Rows of a prefix of words, and those that follow by their word. */
interface Prefix {
  /** Cost of each column of its last row, and the last operation of it. */
  readonly costs: Int32Array;
  readonly operations: Uint8Array;
  readonly next: Map<string, Prefix>;
}

/** Columns on each side of the diagonal. */
const beamWidth = 25;
/** A cost that no path has. */
const unreached = 2 ** 30;
/** Maximum number of rows that are kept for a sentence. */
const maxRows = 10_000;

/**
 * Edit distances of lists of words to a reference, on a band around the diagonal. Lists of one length that begin alike
 * share the rows of their beginning.
 */
export class EditDistance {
  readonly #reference: readonly string[];
  readonly #first: Prefix;
  #rows = 0;

  constructor(reference: readonly string[]) {
    this.#reference = reference;
    this.#first = {
      costs: Int32Array.from({ length: reference.length + 1 }, (_, j) => j),
      operations: new Uint8Array(reference.length + 1).fill(insert),
      next: new Map(),
    };
  }

  /** The number of edits, and the operations from the first word to the last. All lists have one length. */
  of(words: readonly string[]): { readonly edits: number; readonly operations: readonly number[] } {
    const columns = this.#reference.length;
    let prefix = this.#first;
    const rows = [prefix];
    for (const [i, word] of words.entries()) {
      let next = prefix.next.get(word);
      if (!next) {
        next = this.#rowAfter(prefix, word, i + 1, words.length);
        if (this.#rows++ < maxRows) prefix.next.set(word, next);
      }
      rows.push(next);
      prefix = next;
    }
    const operations: number[] = [];
    for (let [i, j] = [words.length, columns]; i > 0 || j > 0; ) {
      const operation = rows[i]?.operations[j] as number;
      operations.push(operation);
      if (operation !== insert) i--;
      if (operation !== remove) j--;
    }
    return { edits: prefix.costs[columns] as number, operations: operations.reverse() };
  }

  /** Row `i` of `count`, of the word `word`. */
  #rowAfter({ costs: above }: Prefix, word: string, i: number, count: number): Prefix {
    const columns = this.#reference.length;
    const ratio = columns / count;
    const width = beamWidth < ratio / 2 ? Math.ceil(ratio / 2 + beamWidth) : beamWidth;
    const diagonal = Math.floor(i * ratio);
    const end = i === count ? columns + 1 : Math.min(columns + 1, diagonal + width);
    const costs = new Int32Array(columns + 1).fill(unreached);
    const operations = new Uint8Array(columns + 1);
    for (let j = Math.max(0, diagonal - width); j < end; j++) {
      let [cost, operation] = [unreached, 0];
      // The first of equal costs counts.
      if (j > 0) {
        const isEqual = word === this.#reference[j - 1];
        cost = (above[j - 1] as number) + (isEqual ? 0 : 1);
        operation = isEqual ? keep : substitute;
      }
      if ((above[j] as number) + 1 < cost) [cost, operation] = [(above[j] as number) + 1, remove];
      if (j > 0 && (costs[j - 1] as number) + 1 < cost)
        [cost, operation] = [(costs[j - 1] as number) + 1, insert];
      if (cost >= unreached) continue;
      costs[j] = cost;
      operations[j] = operation;
    }
    return { costs, operations, next: new Map() };
  }
}
