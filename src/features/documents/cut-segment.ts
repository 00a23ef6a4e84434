// Segments with many codes, such as a table of contents in one paragraph, in parts with few: what places codes takes time
// that grows with the square of their number, and no model translates hundreds of them at once.

import { placeholderAt, placeholderOf } from '../../text/placeholders.ts';
import { placeholdersIn } from './inline/inline-text.ts';

/** Number of codes above which a segment is cut, and of those that a part has if it can. */
const [maxCodes, wantedCodes] = [64, 32];

/** A place between two parts. The best one has the lowest rank: outside of pairs, at the end of a sentence. */
interface Cut {
  readonly at: number;
  readonly rank: number;
  /** Codes before it in its part. */
  readonly codes: number;
}

const isSentenceEnd = (before: string): boolean => /[.!?。！？…]["'”’»)\]\ue000-\uf7ff]*\s*$/u.test(before);

/** The pairs of a text: for each of their codes the other one. */
function partnersIn(codes: readonly string[]): ReadonlyMap<string, string> {
  const all = new Set(codes);
  return new Map(
    codes.flatMap((code) => {
      const { kind, index } = placeholderAt(code) ?? { kind: 'single', index: 0 };
      const partner = placeholderOf(kind === 'open' ? 'close' : 'open', index);
      return kind !== 'single' && all.has(partner) ? [[code, partner] as const] : [];
    }),
  );
}

/** Offsets at which a text is cut, in order. */
function cutsIn(text: string, partners: ReadonlyMap<string, string>): number[] {
  const cuts: number[] = [];
  let [depth, codes] = [0, 0];
  let best: Cut | undefined;
  for (let at = 1; at < text.length; at++) {
    const character = text[at - 1] as string;
    const code = placeholderAt(character);
    if (code) codes++;
    if (partners.has(character)) depth += code?.kind === 'open' ? 1 : -1;
    const isSpace = /\s/.test(character) && !/\s/.test(text[at] as string);
    // Without spaces, a part ends behind a code.
    const isPlace = isSpace || /[。！？]/.test(character) || (codes > 2 * wantedCodes && code !== undefined);
    if (isPlace && codes >= wantedCodes) {
      const rank = 2 * depth + (isSentenceEnd(text.slice(Math.max(0, at - 40), at)) ? 0 : 1);
      if (!best || rank <= best.rank) best = { at, rank, codes };
    }
    if (!best || codes < maxCodes) continue;
    cuts.push(best.at);
    codes -= best.codes;
    best = undefined;
  }
  return cuts;
}

/**
 * The parts of a text with many codes, which together are the text; undefined if it has few. A code whose pair is in several
 * parts is a part of its own: it stays where it is.
 */
export function partsOfMany(text: string): string[] | undefined {
  const codes = placeholdersIn(text);
  if (codes.length <= maxCodes) return undefined;
  const partners = partnersIn(codes);
  const cuts = cutsIn(text, partners);
  return [0, ...cuts].flatMap((from, i) => {
    const part = text.slice(from, cuts[i]);
    const own = new Set(placeholdersIn(part));
    const alone = [...own].filter((code) => partners.has(code) && !own.has(partners.get(code) as string));
    return alone.length === 0 ? [part] : part.split(new RegExp(`([${alone.join('')}])`)).filter(Boolean);
  });
}
