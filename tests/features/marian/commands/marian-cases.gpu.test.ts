// Cases of Marian that ../shared has not, made by tests/fixtures/marian/make.py in float64 from the formulas: odd
// widths, three SSRUs, untied output, two vocabularies, norms before and after blocks, tied layers, deep feed-forward
// blocks.

import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { checkGolden } from '../../../../src/commands/jobs/verify/golden-checks.ts';
import { readGoldenMarian } from '../../../../src/features/marian/commands/golden-marian.ts';
import { nodeFiles } from '../../../../src/host/node-files.ts';
import { testEngine } from '../../../support/engine.ts';
import { sample } from '../../../support/gpu.ts';

const folder = 'tests/fixtures/marian';
const all = readdirSync(folder).filter((name) => !name.endsWith('.py'));

it.each(sample(all, (name) => name.startsWith('odd-')))('%s equals its reference', async (name) => {
  const [golden] = await readGoldenMarian(nodeFiles(), `${folder}/${name}`);
  const rows = await checkGolden(golden, testEngine);
  expect(rows.length).toBeGreaterThan(60); // logits, loss, each gradient, ids
  expect(rows.filter(([, error, limit]) => !(error <= limit))).toEqual([]);
});
