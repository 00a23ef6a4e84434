// Budgets of kernels, and the table of kernels.

import { join } from 'node:path';
import { expect, it } from 'vitest';
import { budgetsOf, exceeded, readBudgets, writeBudgets } from '../../../bench/isa/isa-budgets.ts';
import { isHot, type KernelRow, table } from '../../../bench/isa/kernel-rows.ts';
import { scratch } from '../../support/cli.ts';

const counts = { instructions: 100, fma: 64, alu: 16, mem: 8, matrix: 0, spill: 0 };
const row: KernelRow = {
  gpu: 'tgl',
  from: 'heddle',
  name: 'matmul {}',
  looped: true,
  loop: counts,
  round: counts,
  simd: 8,
  instructions: 300,
  parsed: 300,
  spills: 0,
  fills: 0,
  threads: 512,
};

it('accepts kernels within their budgets, and names what is worse', () => {
  const budgets = budgetsOf([row]);
  expect(budgets).toEqual({ 'tgl matmul {}': { share: 0.8, inLoop: 0, threads: 512, matrix: undefined } });
  expect(exceeded([row], budgets)).toEqual([]);
  const worse = { ...row, loop: { ...counts, alu: 64, spill: 5 }, threads: 256 };
  expect(exceeded([worse], budgets)).toEqual([
    'tgl matmul {}: share 0.5, budget 0.8',
    'tgl matmul {}: inLoop 5, budget 0',
    'tgl matmul {}: threads 256, budget 512',
  ]);
  expect(exceeded([{ ...row, name: 'other' }], budgets)).toEqual([
    expect.stringContaining('other: no budget'),
  ]);
});

it('keeps the budgets of each vendor in a file', () => {
  const folder = join(scratch(), 'new');
  expect(readBudgets(folder, 'intel')).toEqual({});
  writeBudgets(folder, 'intel', budgetsOf([row]));
  expect(readBudgets(folder, 'intel')).toEqual({ 'tgl matmul {}': { share: 0.8, inLoop: 0, threads: 512 } });
});

it('prints one line for each kernel', () => {
  const [head = '', line = ''] = table([row, { ...row, from: 'tfjs', threads: undefined }]).split('\n');
  expect(head.split(/ {2,}/)).toContain('in loop');
  expect(line).toMatch(/^tgl +8 +300 +100 +64 +0\.80 +0\.80 +0\.13 .* 512 +- +matmul \{\}$/);
  expect(isHot(row)).toBe(true);
  expect(isHot({ ...row, loop: { ...counts, fma: 4 } })).toBe(false);
});
