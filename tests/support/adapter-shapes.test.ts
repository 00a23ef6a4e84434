// A golden case on Dawn with each subgroup width of llvmpipe. The width must be set before a process starts.

import { expect, it } from 'vitest';
import { adapterShapes } from './adapter-shapes.mjs';
import { heddleProcess } from './cli.ts';
import { goldenFolder } from './golden.ts';

const widths = [...new Set(adapterShapes.map(({ vectorWidth }) => vectorWidth))].filter(
  (width) => width !== undefined,
);

it('covers subgroups of 4, 8 and 16', () => {
  expect(widths).toEqual([128, 256, 512]);
});

// The other tests on Dawn have 4 lanes in npm test, as SwiftShader has, and those of the machine in test:full.
it.each(process.env.HEDDLE_FULL ? widths : [256])(
  'computes a golden case with vectors of %d bits',
  async (width) => {
    const env = { LP_NATIVE_VECTOR_WIDTH: String(width) };
    const info = JSON.parse((await heddleProcess(['info', '--json'], { env })).stdout);
    if (info.description.includes('llvmpipe'))
      expect(info.subgroups).toEqual({ min: width / 32, max: width / 32 });
    expect(info.subgroupKernels).toBe('used');
    const { status, stdout } = await heddleProcess(['verify', goldenFolder('odd-post')], { env });
    expect([status, stdout.includes('FAILED')]).toEqual([0, false]);
  },
  30_000,
);
