// Puts the codes of a source into a translation that has none, at given places: each exactly once, pairs nested
// as in the source, codes of format strings in their order.

import type { InlineCode } from './inline-text.ts';
import { placeholderAt, placeholderOf } from './placeholders.ts';

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

/** A code at a place of the translation. */
interface Placed {
  readonly at: number;
  readonly code: string;
}

function place(
  nodes: readonly Node[],
  low: number,
  high: number,
  placeOf: (code: string) => number,
): Placed[] {
  const clip = (n: number) => Math.min(high, Math.max(low, n));
  const spans = nodes.map((node, order) => {
    const from = clip(placeOf(node.open));
    return { node, order, from, to: node.close ? Math.max(from, clip(placeOf(node.close))) : from };
  });
  spans.sort((a, b) => a.from - b.from || a.order - b.order);
  const out: Placed[] = [];
  let cursor = low;
  for (const { node, from, to } of spans) {
    const start = Math.max(cursor, from);
    const end = Math.max(start, to);
    out.push({ at: start, code: node.open }, ...place(node.inside, start, end, placeOf));
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

const isWord = (character: string): boolean => /[\p{L}\p{N}]/u.test(character);

/** The characters of a source next to a code that are no codes; empty at its ends. */
function neighbours(source: string, code: string): { readonly before: string; readonly after: string } {
  const at = source.indexOf(code);
  const before = /([^\ue000-\uf7ff])[\ue000-\uf7ff]*$/u.exec(source.slice(0, at))?.[1] ?? '';
  const after = /^[\ue000-\uf7ff]*([^\ue000-\uf7ff])/u.exec(source.slice(at + 1))?.[1] ?? '';
  return { before, after };
}

/**
 * Inserts the codes of `source` into `target`. `placeOf`: offset in `target` that a code belongs to. Spaces around
 * a single code are as in the source.
 */
export function placeCodes(
  source: string,
  target: string,
  codes: ReadonlyMap<string, InlineCode>,
  placeOf: (code: string) => number,
): string {
  const list = [...source].filter((c) => codes.has(c));
  const placed = inOrder(place(treesOf(list), 0, target.length, placeOf));
  const ordered = list.filter((c) => codes.get(c)?.isOrdered);
  let next = 0;
  let [out, at] = ['', 0];
  for (const { at: offset, code: placedCode } of placed) {
    const code = codes.get(placedCode)?.isOrdered ? (ordered[next++] as string) : placedCode;
    out += target.slice(at, offset);
    at = offset;
    if (codes.get(code)?.kind !== 'single') {
      out += code;
      continue;
    }
    const { before, after } = neighbours(source, code);
    if (/\s/.test(before) && out !== '' && !/[\s\ue800-\uefff]$/.test(out)) out += ' ';
    if (isWord(before) && isWord(after)) out = out.replace(/ $/, '');
    out += code;
    const rest = target.slice(at);
    if (/\s/.test(after) && rest !== '' && !/^[\s.,;:!?)]/.test(rest)) out += ' ';
    if (isWord(after) && rest.startsWith(' ')) at++;
    else if (/\S/.test(after) && rest.startsWith(` ${after}`)) at++;
  }
  return out + target.slice(at);
}
