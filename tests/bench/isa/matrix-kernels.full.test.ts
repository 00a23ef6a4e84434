// The kernels with subgroup matrices become matrix instructions (hmma on NVIDIA, dpas on Intel's Lunar Lake, wmma on
// AMD) without spills; tiles of 128 x 128 spill on Lunar Lake. Only for GPUs whose compiler is set up.
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { isSetUp } from '../../../bench/isa/compilers.ts';

const root = resolve(import.meta.dirname, '../../..');

for (const gpu of ['nv172-new', 'lnl-new', 'navi31'])
  it.skipIf(!isSetUp(gpu))(
    `${gpu} has matrix instructions without spills`,
    async () => {
      const args = ['bench/isa/isa-main.mjs', '--gpu', gpu, '--variants', '--only', 'matmul-matrix'];
      const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, maxBuffer: 2 ** 26 });
      const sizes = gpu === 'lnl-new' ? /"SIZE":64/ : /"SIZE"/;
      const lines = stdout.split('\n').filter((line) => line.includes(' matmul-matrix-f16.'));
      const kernels = lines.filter((line) => sizes.test(line));
      expect(kernels.length).toBeGreaterThan(2);
      for (const line of kernels) {
        const [, , , , fma, , , , , spills] = line.split(/ +/);
        expect(fma).toMatch(/^\d+m$/);
        expect(spills).toMatch(/^0(:0)?$/);
      }
    },
    600_000,
  );
