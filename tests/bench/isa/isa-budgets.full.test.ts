// Compares all kernels that GPUs take before tuning with their budgets: spills, shares, threads. Only for the vendors
// whose compiler is set up (`npm run bench:isa -- --vendor NAME`).
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { isSetUp, usualGpus } from '../../../bench/isa/compilers.ts';
import { vendors } from '../../../bench/isa/vendor-listings.ts';

const root = resolve(import.meta.dirname, '../../..');

for (const vendor of vendors)
  it.skipIf(!usualGpus(vendor).every(isSetUp))(
    `${vendor}: compiles all kernels within their budgets`,
    async () => {
      const few = vendor === 'intel' || vendor === 'amd' ? [] : ['--few'];
      const args = ['bench/isa/isa-main.mjs', '--vendor', vendor, ...few, '--check'];
      const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, maxBuffer: 2 ** 26 });
      expect(stdout).toMatch(/\d{2,} kernels are within their budgets/);
    },
    1_800_000,
  );
