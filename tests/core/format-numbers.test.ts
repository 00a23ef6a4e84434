// Numbers, sizes and durations for people.
import { expect, it } from 'vitest';
import {
  formatBytes,
  formatDuration,
  formatInteger,
  formatNumber,
  formatPercent,
} from '../../src/core/format-numbers.ts';

it('writes numbers for people', () => {
  expect(
    [0, 0.04213, 12.34, 1240, 0.000012, -0.5, 1e6, -3.14159e12, Number.NaN, Number.POSITIVE_INFINITY].map(
      formatNumber,
    ),
  ).toEqual(['0', '0.0421', '12.3', '1,240', '1.2e-5', '-0.5', '1,000,000', '-3.14e12', '–', '–']);
  expect([
    formatPercent(0.97249),
    formatPercent(1),
    formatPercent(Number.NaN),
    formatInteger(1234.5),
    formatInteger(Number.NaN),
  ]).toEqual(['97.2 %', '100.0 %', '–', '1,235', '–']);
  expect([512, 2048, 123_456_789, 2 ** 31].map(formatBytes)).toEqual([
    '512 B',
    '2.0 KiB',
    '117.7 MiB',
    '2.0 GiB',
  ]);
  expect([0.42, 48.4, 125, 3780, Number.NaN].map(formatDuration)).toEqual([
    '0.4 s',
    '48 s',
    '2 min 5 s',
    '1 h 3 min',
    '–',
  ]);
});
