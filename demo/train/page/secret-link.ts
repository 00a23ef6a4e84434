// A secret language in the hash of the address: its pairs, as base64url of JSON.

import type { Pair } from '../../../src/entries/heddle.ts';

/** Number of pairs of a secret language, and the longest side in characters. */
export const [secretPairs, maxSide] = [5, 80] as const;

const start = '#secret=';

/** The hash of the pairs. */
export function secretHash(pairs: readonly Pair[]): string {
  const bytes = new TextEncoder().encode(JSON.stringify(pairs.map(({ source, target }) => [source, target])));
  const text = btoa(String.fromCharCode(...bytes));
  return start + text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** The pairs of a hash; undefined if it is damaged. */
export function secretOf(hash: string): readonly Pair[] | undefined {
  try {
    const text = atob(hash.slice(start.length).replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    const read: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (!Array.isArray(read) || read.length !== secretPairs) return undefined;
    const isSide = (side: unknown) =>
      typeof side === 'string' && side.trim() !== '' && side.length <= maxSide;
    if (!read.every((pair) => Array.isArray(pair) && pair.length === 2 && pair.every(isSide)))
      return undefined;
    return (read as [string, string][]).map(([source, target]) => ({ source, target }));
  } catch {
    return undefined;
  }
}

/** Whether two answers are the same but for case, punctuation and spaces. */
export function isSameAnswer(a: string, b: string): boolean {
  const plain = (text: string) =>
    text
      .normalize('NFC')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]+/gu, ' ')
      .trim();
  return plain(a) === plain(b);
}
