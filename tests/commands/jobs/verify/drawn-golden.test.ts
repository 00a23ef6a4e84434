// Random golden cases of ten families that are in tests/fixtures/golden-drawn, in float64. They are one to three a family: a case
// has 25 to 120 kB, so that ten of each would be 4 MB; drawn-golden.full.test.ts makes them anew from the makers.
import { expect, it } from 'vitest';
import { cpuEngine } from '../../../../src/engine/cpu-engine.ts';
import { caseFolders, goldenFamilies, goldenProblems } from '../../../support/drawn-golden.ts';

const folders = caseFolders('tests/fixtures/golden-drawn');

it('there are cases of each family', () => {
  const families = new Set(folders.map((folder) => folder.replace(/^.*\/|-\d+$/g, '')));
  expect([...families].sort()).toEqual([...goldenFamilies].sort());
});

it('they agree with their references', { timeout: 120_000 }, async () => {
  expect(await goldenProblems(folders, () => cpuEngine())).toEqual([]);
});
