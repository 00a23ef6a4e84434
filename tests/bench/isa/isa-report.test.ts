// Wrong arguments of `npm run bench:isa`.
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { errorNaming } from '../../support/expect-error.ts';

const root = resolve(import.meta.dirname, '../../..');
const isa = (...args: string[]) =>
  promisify(execFile)(process.execPath, ['bench/isa/isa-main.mjs', ...args], { cwd: root });

it.each([
  [
    ['--vendor', 'matrox'],
    ['--vendor matrox', 'intel', 'nvidia'],
  ],
  [
    ['--gpu', 'gtx'],
    ['--gpu gtx', 'skl', 'tgl'],
  ],
  [
    ['--preset', 'huge'],
    ['--preset huge', 'tiny', 'small'],
  ],
  [['--rows', '0'], ['--rows 0:']],
  [['--preset', 'base', '--set', 'heads=7'], ['heads is 7']],
  [
    ['--peer', 'torch'],
    ['--peer torch', 'tfjs'],
  ],
  [
    ['--wgsl', 'none.wgsl'],
    ['--wgsl:', 'none.wgsl'],
  ],
  [
    ['--estimate', 'GPU 1'],
    ['--estimate GPU 1:', 'I'],
  ],
])('%s', async (args, named) => {
  await expect(isa(...args)).rejects.toThrow(errorNaming(...named));
});
