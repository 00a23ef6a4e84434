// The lab's results as Markdown and CSV.
import { expect, it } from 'vitest';
import { csvTable, markdownTable } from '../../demo/lab/results-table.ts';
import type { KernelResult } from '../../src/bench/check-kernel.ts';

const kernel = (name: string, ms: number | undefined): KernelResult =>
  ({
    name,
    group: 'products',
    op: 'matmul',
    flops: 2e9,
    bytes: 3e6,
    variants: [{ variant: 'tile-64', error: 3.21e-7, passed: true, ms }],
  }) as unknown as KernelResult;

it('has a row for the fastest variant of each kernel, with escaped names', () => {
  const kernels = [kernel('matmul 64|64, "x"', 2), kernel('failed', undefined)];
  const text = markdownTable(kernels, undefined, 'a GPU; Chrome');
  expect(text.split('\n')).toEqual([
    'a GPU; Chrome',
    '',
    '| kernel | variant | µs | spread % | GFLOP/s | GB/s | % of roofline | largest error |',
    '| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |',
    expect.stringMatching(
      /^\| matmul 64\\\|64, "x" \| tile-64 \| 2000 \| \d* \| 1000 \| 1\.5 \| {2}\| 3\.2e-7 \|$/,
    ),
    expect.stringMatching(/^\| failed \| tile-64 \| {2}\|/),
    '',
  ]);
  expect(csvTable(kernels, undefined).split('\n')[1]).toMatch(/^"matmul 64\|64, ""x""",tile-64,2000,/);
});
