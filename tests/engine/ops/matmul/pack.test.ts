// Packs of weights with a wrong number of columns are errors, not loops without an end.
import { expect, it } from 'vitest';
import { pack } from '../../../../src/engine/index.ts';
import { errorAbout } from '../../../support/expect-error.ts';

it.each([0, -1, 1.5, Number.NaN, null, '4'] as number[])('refuses %s columns', (cols) => {
  const words = new Uint32Array(8);
  const packed = () => pack('int8', new Float32Array(8), cols, words, new Float32Array(2));
  expect(packed).toThrow(errorAbout({ area: 'pack' }));
});
