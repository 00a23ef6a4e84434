// Wrong arguments of `npm run bench:isa`.
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { missingPackages } from '../../../bench/isa/null-driver.ts';

const root = resolve(import.meta.dirname, '../../..');
const isa = (...args: string[]) =>
  promisify(execFile)(process.execPath, ['bench/isa/isa-main.mjs', ...args], {
    cwd: root,
    maxBuffer: 2 ** 26,
  });
const missing = missingPackages();

it('names an unknown GPU and an unknown family', async () => {
  await expect(isa('--estimate', 'GPU 1')).rejects.toThrow(
    missing.length > 0 ? 'bench:isa needs' : '--estimate GPU 1: unknown GPU; choose from RX 7900 XTX',
  );
  await expect(isa('--family', 'navi1')).rejects.toThrow(
    missing.length > 0 ? 'bench:isa needs' : '--family navi1: unknown',
  );
});
