// Puts the codes of a source into a translation that has none, at given places: each exactly once, pairs nested
// as in the source, codes of format strings in their order.

import { placeholderAt, placeholderOf } from '../../../text/placeholders.ts';
import type { InlineCode } from './inline-text.ts';

/** A code, or a pair with what is inside. */
interface Node {
  readonly open: string;
  /** The closing code of a pair. */
  close?: string;
  readonly inside: Node[];
}

/** The codes of a source as trees. Pairs that overlap without nesting count as single codes. */
function treesOf(codes: readonly string[]): Node[] {
  const root: Node[] = [];
  const open: Node[] = [];
  for (const character of codes) {
    const { kind, index } = placeholderAt(character) ?? { kind: 'single', index: 0 };
    const top = open.at(-1);
    if (kind === 'close' && top?.open === placeholderOf('open', index)) {
      top.close = character;
      open.pop();
      continue;
    }
    const node: Node = { open: character, inside: [] };
    (top?.inside ?? root).push(node);
    if (kind === 'open' && closesNested(codes, character)) open.push(node);
  }
  return root;
}

/** Whether the pair that `open` starts is closed before any pair around it, and closes all pairs in it. */
function closesNested(codes: readonly string[], open: string): boolean {
  const { index } = placeholderAt(open) ?? { index: -1 };
  const [from, to] = [codes.indexOf(open), codes.indexOf(placeholderOf('close', index))];
  if (to < from) return false;
  const between = codes.slice(from + 1, to);
  return between.every((c) => {
    const { kind, index: other } = placeholderAt(c) ?? { kind: 'single', index: 0 };
    if (kind === 'single') return true;
    const partner = placeholderOf(kind === 'open' ? 'close' : 'open', other);
    return !codes.includes(partner) || between.includes(partner);
  });
}

/** A part of a text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The words of a text, also of one without spaces. */
export const wordSpans = (text: string): Span[] =>
  Array.from(new Intl.Segmenter('und', { granularity: 'word' }).segment(text)).flatMap(
    ({ segment, index, isWordLike }) => (isWordLike ? [{ start: index, end: index + segment.length }] : []),
  );

/** A code at a place of the translation. */
interface Placed {
  readonly at: number;
  readonly code: string;
}

/** Where codes are in a translation. */
export interface CodePlaces {
  /** Offset of a code. */
  placeOf(code: string): number;
  /** Whether there are words in a pair. */
  hasWords(open: string, close: string): boolean;
  /** The first word of a part of the translation. Undefined if there is none. */
  wordIn(from: number, to: number): Span | undefined;
}

function place(nodes: readonly Node[], low: number, high: number, places: CodePlaces): Placed[] {
  const { placeOf, hasWords, wordIn } = places;
  const clip = (n: number) => Math.min(high, Math.max(low, n));
  const spans = nodes.map((node, order) => {
    const from = clip(placeOf(node.open));
    return { node, order, from, to: node.close ? Math.max(from, clip(placeOf(node.close))) : from };
  });
  spans.sort((a, b) => a.from - b.from || a.order - b.order);
  const out: Placed[] = [];
  let cursor = low;
  for (const { node, from, to } of spans) {
    let [start, end] = [Math.max(cursor, from), Math.max(cursor, from, to)];
    if (node.close !== undefined && start === end && hasWords(node.open, node.close)) {
      const word = wordIn(start, high) ?? wordIn(cursor, high);
      if (word) ({ start, end } = word);
    }
    out.push({ at: start, code: node.open }, ...place(node.inside, start, end, places));
    if (node.close) out.push({ at: end, code: node.close });
    cursor = end;
  }
  return out;
}

/** Closing codes of overlapping pairs go behind their opening ones. */
function inOrder(placed: readonly Placed[]): Placed[] {
  const out = [...placed];
  for (let i = 0; i < out.length; i++) {
    const { kind, index } = placeholderAt((out[i] as Placed).code) ?? { kind: 'single', index: 0 };
    if (kind !== 'close') continue;
    const from = out.findIndex(({ code }) => code === placeholderOf('open', index));
    if (from <= i) continue;
    const [a, b] = [out[i] as Placed, out[from] as Placed];
    out[i] = { at: a.at, code: b.code };
    out[from] = { at: b.at, code: a.code };
  }
  return out;
}

/** Inserts the codes of `source` into `target`. `placeOf`: offset in `target` that a code belongs to. */
export function placeCodes(
  source: string,
  target: string,
  codes: ReadonlyMap<string, InlineCode>,
  placeOf: (code: string) => number,
): string {
  if (codes.size === 0) return target;
  const list = [...source].filter((c) => codes.has(c));
  const words = wordSpans(target);
  const hasWords = (open: string, close: string) =>
    /[\p{L}\p{N}]/u.test(source.slice(source.indexOf(open), source.indexOf(close)));
  const wordIn = (from: number, to: number) => words.find(({ start, end }) => start >= from && end <= to);
  const placed = inOrder(place(treesOf(list), 0, target.length, { placeOf, hasWords, wordIn }));
  const ordered = list.filter((c) => codes.get(c)?.isOrdered);
  let next = 0;
  let [out, at] = ['', 0];
  for (const { at: offset, code } of placed) {
    out += target.slice(at, offset) + (codes.get(code)?.isOrdered ? (ordered[next++] as string) : code);
    at = offset;
  }
  return out + target.slice(at);
}
