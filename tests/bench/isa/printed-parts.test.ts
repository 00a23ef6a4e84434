// What a compiler prints, split into kernels wherever chunks end.

import { expect, it } from 'vitest';
import { PrintedParts } from '../../../bench/isa/printed-parts.ts';

const [first, second] = ['@@ {"name":"one"}\nfma\n', '@@ {"name":"two"}\nmov @@ x\n'];

it.each([1, 2, 3, 7, first.length, 12 + first.length, 100])('chunks of %i characters', (size) => {
  const text = `driver says\n${first}${second}`.replaceAll('\n', '\r\n');
  const parts = new PrintedParts();
  const ended: string[] = [];
  for (let at = 0; at < text.length; at += size) ended.push(...parts.add(text.slice(at, at + size)));
  expect([...ended, parts.rest()]).toEqual([first, second]);
});

it('starts a kernel with a chunk that starts with its announcement', () => {
  const parts = new PrintedParts();
  expect(parts.add(first)).toEqual([]);
  expect(parts.add(second)).toEqual([first]);
  expect(parts.rest()).toBe(second);
});
