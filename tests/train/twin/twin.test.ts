// Drawn trainings against twin.py, a float64 twin: with HEDDLE_SEED=N the one of that seed. Without Debian's
// python3-torch nothing of it is covered. `npm run test:full` draws more: twin.full.test.ts.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { hasTorch } from '../../support/python.ts';
import { twinProblems } from './twin-problems.ts';

const root = mkdtempSync(join(tmpdir(), 'heddle-twin-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const own = process.env.HEDDLE_SEED;
const seeds = own ? own.split(',').map(Number) : [1, 2, 3, 4];

describe.skipIf(!hasTorch)('drawn trainings agree with their twins in float64', () => {
  it(`seeds ${seeds.join(', ')}`, { timeout: 300_000 }, async () => {
    expect(await twinProblems(seeds, 'float64', root)).toEqual([]);
  });
});
