// Random golden cases of ten families, whose references were compared with transformers and with Marian's engine, on Dawn.
// HEDDLE_SEED=N draws others, from that seed on. Without the makers nothing of it is covered.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { goldenFamilies, goldenProblems, hasMakers, makeCases } from '../../../support/drawn-golden.ts';
import { testEngine } from '../../../support/engine.ts';
import { watchTests } from '../../../support/gpu.ts';
import { hasTorch } from '../../../support/python.ts';

watchTests();

const first = Number(process.env.HEDDLE_SEED ?? 1001);
/** Cases of each family. */
const count = 12;
const out = mkdtempSync(join(tmpdir(), 'heddle-golden-'));
afterAll(() => rmSync(out, { recursive: true, force: true }));

describe.skipIf(!hasMakers || !hasTorch)(
  `seeds ${first} to ${first + count - 1} (needs ../shared/golden-makers and python3-torch)`,
  { timeout: 1_200_000 },
  () => {
    it.each(goldenFamilies)('%s', async (family) => {
      expect(await goldenProblems(makeCases(family, first, count, out), testEngine)).toEqual([]);
    });
  },
);
