// Compares all kernels, compiled by AMD's shader compiler, with their budgets: registers, spills,
// instructions of the hot loop.
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { missingPackages } from '../../../bench/isa/null-driver.ts';

const root = resolve(import.meta.dirname, '../../..');

it.skipIf(missingPackages().length > 0)(
  `compiles all kernels within their budgets (needs mesa-vulkan-drivers, libvulkan-dev and gcc)`,
  async () => {
    const args = ['bench/isa/isa-main.mjs', '--family', 'navi31', '--preset', '', '--check'];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, maxBuffer: 2 ** 26 });
    expect(stdout).toMatch(/\d{2,} kernels are within their budgets/);
  },
  180_000,
);
