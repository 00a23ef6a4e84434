// 200 drawn trainings against twin.py in float64, and some of them on the GPU. HEDDLE_SEED=N or N,M repeats some;
// HEDDLE_SEEDS=FIRST-LAST draws others. Without Debian's python3-torch nothing of it is covered.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { watchTests } from '../../support/gpu.ts';
import { hasTorch } from '../../support/python.ts';
import { twinProblems } from './twin-problems.ts';

watchTests();

const root = mkdtempSync(join(tmpdir(), 'heddle-twin-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const own = process.env.HEDDLE_SEED;
const [first = 1, last = 200] = (process.env.HEDDLE_SEEDS ?? '').split('-').filter(Boolean).map(Number);
const seeds = own
  ? own.split(',').map(Number)
  : Array.from({ length: last - first + 1 }, (_, i) => first + i);
/** Seeds that Dawn trains, too: each compiles its own kernels. */
const onDawn = own ? seeds : seeds.filter((_, i) => i % 8 === 0);
const chunks = (all: readonly number[]) =>
  Array.from({ length: Math.ceil(all.length / 20) }, (_, i) => all.slice(20 * i, 20 * i + 20));

describe.skipIf(!hasTorch)('drawn trainings agree with their twins', { timeout: 1_800_000 }, () => {
  it.each(chunks(seeds).map((chunk) => [`${chunk[0]} to ${chunk.at(-1)}`, chunk] as const))(
    'in float64: seeds %s',
    async (_, chunk) => {
      expect(await twinProblems(chunk, 'float64', root)).toEqual([]);
    },
  );

  it.each(chunks(onDawn).map((chunk) => [`${chunk[0]} to ${chunk.at(-1)}`, chunk] as const))(
    'on the GPU: seeds %s',
    async (_, chunk) => {
      expect(await twinProblems(chunk, 'Dawn', root)).toEqual([]);
    },
  );
});
