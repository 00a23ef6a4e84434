// The first line that is not UTF-8.
import { expect, it } from 'vitest';
import { decodeUtf8, invalidLine } from '../../src/files/utf8.ts';
import { errorAbout } from '../support/expect-error.ts';

const text = new Uint8Array([...Buffer.from('uno\ndós\n'), 0x61, 0xff, 10]);

it('decodes text and names the first line that is none', () => {
  expect(decodeUtf8(text.subarray(0, 9), 'a.txt')).toBe('uno\ndós\n');
  expect(() => decodeUtf8(text, 'a.txt')).toThrow(errorAbout({ area: 'a.txt', values: [3] }));
  expect(() => decodeUtf8(text, 'a.txt', 11)).toThrow(errorAbout({ area: 'a.txt', values: [13] }));
  expect(invalidLine(Uint8Array.of(0xc3))).toBe(1);
});
