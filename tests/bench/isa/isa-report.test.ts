// Wrong arguments of `npm run bench:isa`.
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../../..');
const isa = (...args: string[]) =>
  promisify(execFile)(process.execPath, ['bench/isa/isa-main.mjs', ...args], { cwd: root });

it.each([
  [['--vendor', 'matrox'], '--vendor matrox: unknown; choose from intel, nvidia'],
  [['--gpu', 'gtx'], '--gpu gtx: unknown; choose from skl, tgl'],
  [['--preset', 'huge'], '--preset huge: unknown; choose from tiny, small'],
  [['--rows', '0'], '--rows 0: not positive integers'],
  [['--preset', 'base', '--set', 'heads=7'], 'heads'],
  [['--peer', 'torch'], '--peer torch: unknown; choose from tfjs'],
  [['--wgsl', 'none.wgsl'], '--wgsl: there is no'],
  [['--estimate', 'GPU 1'], '--estimate GPU 1: unknown; choose from'],
])('%s', async (args, message) => {
  await expect(isa(...args)).rejects.toThrow(message);
});
