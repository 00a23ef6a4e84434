// A translation memory: pairs that translate a segment exactly, or one that is similar. Similarity is one minus the
// edit distance of words, divided by the number of words of the longer text.

import type { Pair } from '../../text/corpus/pairs.ts';
import { placeholderAt, placeholderOf } from '../../text/placeholders.ts';
import { anyCodes } from './inline/code-patterns.ts';
import { type InlineText, inlineText, keepsCodes, placeholdersIn, renderText } from './inline/inline-text.ts';
import { hashOf, PackedTexts } from './packed-texts.ts';

/** A translation that a memory has for a segment. */
export interface MemoryMatch {
  /** The translation with the placeholders of the segment. */
  readonly text: string;
  /** 1: the same text; below it a similar one. */
  readonly similarity: number;
}

/** Number of candidates whose distance is computed, those with the most common words. */
const maxCandidates = 64;
/** Most entries of a word that helps to find candidates. */
const maxEntries = 20_000;
/** In place of the entries of a word that more have. */
const frequent = 'frequent';

const countOf = (list: readonly number[] | typeof frequent): number =>
  list === frequent ? maxEntries + 1 : list.length;

const wordsOf = (text: string): string[] =>
  text.toLowerCase().match(/[\p{L}\p{M}\p{N}]+|[^\s\p{L}\p{M}\p{N}]/gu) ?? [];

/** Elements are numbered by their places, so that their ids do not matter. */
function renumbered(text: string, numbers = new Map<number, number>()): string {
  return text.replace(/[\ue000-\uf7ff]/g, (c) => {
    const { kind, index } = placeholderAt(c) ?? { kind: 'single', index: 0 };
    if (!numbers.has(index)) numbers.set(index, numbers.size);
    return placeholderOf(kind, numbers.get(index) as number);
  });
}

const keyOf = (text: string): string => renumbered(text).replace(/\s+/g, ' ').trim();

/** A memory: texts in UTF-8 and an index of hashed words, so that it may have millions of pairs. */
export class TranslationMemory {
  readonly #texts = new PackedTexts();
  /** Entries of each word, by its hash; those of a frequent word are not kept. */
  readonly #index = new Map<number, number[] | typeof frequent>();

  /** Number of different sources. */
  get size(): number {
    return this.#texts.length;
  }

  /** Adds a pair, whose elements are placeholders; a later pair of the same source replaces an earlier one. */
  add({ source, target }: Pair): void {
    const numbers = new Map<number, number>();
    const key = renumbered(source, numbers).replace(/\s+/g, ' ').trim();
    const { index, isNew } = this.#texts.set(key, renumbered(target, numbers));
    if (!isNew) return;
    for (const word of new Set(wordsOf(key).map(hashOf))) {
      const list = this.#index.get(word);
      if (list === frequent) continue;
      if (!list) this.#index.set(word, [index]);
      else if (list.length < maxEntries) list.push(index);
      else this.#index.set(word, frequent);
    }
  }

  /** The pair of an index below `size`, in the order of its first addition; white space is single spaces. */
  pair(index: number): Pair {
    return { source: this.#texts.key(index), target: this.#texts.value(index) };
  }

  /** The best match of a segment of at least `threshold`; undefined if there is none that keeps its codes. */
  find(segment: InlineText, threshold: number): MemoryMatch | undefined {
    const literal = renderText(segment.text, segment.codes);
    const key = keyOf(literal);
    const exact = this.#texts.indexOf(key);
    const same = exact < 0 ? undefined : inSegment(segment, literal, this.#texts.value(exact));
    if (same !== undefined) return { text: same, similarity: 1 };
    if (threshold >= 1) return undefined;
    const words = wordsOf(key);
    let best: MemoryMatch | undefined;
    for (const index of this.#candidates(words)) {
      const own = wordsOf(this.#texts.key(index));
      const longer = Math.max(words.length, own.length);
      const limit = Math.floor(longer * (1 - Math.max(threshold, best?.similarity ?? 0)) + 1e-9);
      const distance = editDistance(words, own, limit);
      const similarity = longer === 0 ? 0 : 1 - distance / longer;
      if (distance > limit || similarity < threshold || similarity <= (best?.similarity ?? 0)) continue;
      const text = inSegment(segment, literal, this.#texts.value(index));
      // The same words with other spaces or case are no exact match.
      if (text !== undefined) best = { text, similarity: Math.min(similarity, 0.99) };
    }
    return best;
  }

  /** Entries that share the most words, rare ones first. */
  #candidates(words: readonly string[]): number[] {
    const none: readonly number[] = [];
    const lists = [...new Set(words.map(hashOf))]
      .map((word) => this.#index.get(word) ?? none)
      .sort((a, b) => countOf(a) - countOf(b));
    const counts = new Map<number, number>();
    for (const list of lists.slice(0, Math.max(1, Math.ceil(lists.length / 2) + 1)))
      for (const index of list === frequent ? none : list) counts.set(index, (counts.get(index) ?? 0) + 1);
    return [...counts]
      .sort((a, b) => b[1] - a[1])
      .slice(0, maxCandidates)
      .map(([index]) => index);
  }
}

/** A translation of the memory with the codes of a segment; undefined if it does not keep them. */
function inSegment(segment: InlineText, literal: string, target: string): string | undefined {
  // Numbers of the segment's elements by place.
  const places = new Map<number, number>();
  for (const c of placeholdersIn(literal)) {
    const index = placeholderAt(c)?.index ?? 0;
    if (![...places.values()].includes(index)) places.set(places.size, index);
  }
  const own = target.replace(/[\ue000-\uf7ff]/g, (c) => {
    const { kind, index } = placeholderAt(c) ?? { kind: 'single', index: 0 };
    const number = places.get(index);
    return number === undefined ? '' : placeholderOf(kind, number);
  });
  const found = inlineText(
    own,
    segment.pattern ?? anyCodes,
    new Map([...segment.codes].filter(([, c]) => !c.isText)),
  );
  const waiting = placeholdersIn(segment.text).filter((c) => segment.codes.get(c)?.isText);
  const text = Array.from(found.text, (c) => {
    const code = found.codes.get(c);
    if (!code?.isText) return c;
    const at = waiting.findIndex((w) => {
      const wanted = segment.codes.get(w);
      return wanted?.raw === code.raw && wanted.kind === code.kind;
    });
    return at < 0 ? code.raw : (waiting.splice(at, 1)[0] as string);
  }).join('');
  return keepsCodes(segment, text) ? text : undefined;
}

/** Levenshtein distance of two lists of words; more than `limit` if it is larger. */
export function editDistance(
  a: readonly string[],
  b: readonly string[],
  limit = Number.POSITIVE_INFINITY,
): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(
        (row[j] as number) + 1,
        (next[j - 1] as number) + 1,
        (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1),
      );
    if (Math.min(...next) > limit) return limit + 1;
    row = next;
  }
  return row[b.length] as number;
}
