// Shortlists of Firefox: made from a lexical table, written, read, and used as Marian does.

import { expect, it } from 'vitest';
import {
  allowedTokens,
  isShortlist,
  lexicalEntries,
  makeShortlist,
  readShortlist,
  writeShortlist,
} from '../../../../src/features/marian/files/shortlist.ts';
import type { Tokenizer } from '../../../../src/text/tokenizers/tokenizer.ts';
import { type ExpectedError, errorAbout } from '../../../support/expect-error.ts';

const list = makeShortlist(
  [
    [2, 9, 0.5],
    [2, 9, 0.25],
    [2, 4, 0.25],
    [2, 7, 0.25],
    [0, 3, 1],
    [3, 11, 0.1],
  ],
  4,
  { first: 2, best: 2 },
);
const sizes = [4, 12] as const;

it('keeps the best target tokens of each source token; of equals the larger id', () => {
  expect(list).toEqual({ first: 2, best: 2, offsets: [0, 1, 1, 3, 4], targets: Uint32Array.of(3, 7, 9, 11) });
});

it('is read as it was written, with the checksum of Marian', () => {
  const bytes = writeShortlist(list);
  expect(isShortlist(bytes)).toBe(true);
  expect(bytes.length).toBe(48 + 8 * 5 + 4 * 4);
  expect(readShortlist(bytes, 'lex.bin', sizes)).toEqual(list);
  // The hash of one word, 1, computed by hand: 0 ^ (1 + 0x9e3779b9), and on with zeros.
  const view = new DataView(bytes.buffer);
  let seed = 0n;
  for (let at = 16; at < bytes.length; at += 8)
    seed = BigInt.asUintN(
      64,
      seed ^ (view.getBigUint64(at, true) + 0x9e3779b9n + (seed << 6n) + (seed >> 2n)),
    );
  expect(view.getBigUint64(8, true)).toBe(seed);
});

it('allows the first tokens, those of the list, source tokens, and others up to a multiple of eight', () => {
  expect(allowedTokens(list, [2, 0, 2], false, 12)).toEqual([0, 1, 2, 3, 4, 5, 7, 9]);
  expect(allowedTokens(list, [2, 0], true, 12)).toEqual([0, 1, 2, 3, 4, 5, 7, 9]);
  expect(allowedTokens(list, [1, 3], true, 6)).toEqual([0, 1, 2, 3, 4, 5, 11]);
});

it.each<[string, (bytes: Uint8Array, view: DataView) => Uint8Array | undefined, ExpectedError]>([
  ['another file', (bytes) => bytes.fill(1, 0, 8), { area: 'lex.bin' }],
  ['a truncated file', (bytes) => bytes.subarray(0, 60), { area: 'lex.bin' }],
  ['a header only', (bytes) => bytes.subarray(0, 20), { area: 'lex.bin' }],
  ['a huge number', (_, view) => void view.setBigUint64(40, 2n ** 63n, true), { area: 'lex.bin' }],
  ['offsets that fall', (_, view) => void view.setBigUint64(56, 4n, true), { area: 'lex.bin' }],
  ['a target out of range', (_, view) => void view.setUint32(88, 12, true), { area: 'lex.bin' }],
  ['another vocabulary', (_, view) => void view.setBigUint64(32, 4n, true), { area: 'lex.bin' }],
])('refuses %s', (_, change, expected) => {
  const bytes = writeShortlist(list);
  const changed = change(bytes, new DataView(bytes.buffer)) ?? bytes;
  expect(() => readShortlist(changed, 'lex.bin', sizes)).toThrow(errorAbout(expected));
});

it('reads a lexical table of pieces', () => {
  const tokens = ['</s>', '<unk>', '▁the', '▁el'];
  const side = {
    size: 4,
    token: (id: number) => tokens[id],
    special: { unknown: 1 },
  } as unknown as Tokenizer;
  const read = (text: string) => [...lexicalEntries(text, 'lex.s2t', [side, side])];
  expect(read('▁el ▁the 0.5\nNULL ▁the 0.1\n▁x\t▁the\t1e-3\n\n')).toEqual([
    [2, 3, 0.5],
    [2, 1, Math.fround(1e-3)],
  ]);
  expect(() => read('▁el ▁the 0.5\n▁el ▁the\n')).toThrow(errorAbout({ area: 'lex.s2t', values: [2] }));
  expect(() => read('▁el ▁the 1.5')).toThrow(errorAbout({ area: 'lex.s2t', values: [1] }));
});
