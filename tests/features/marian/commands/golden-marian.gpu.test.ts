// The golden cases of Marian on the GPU: logits, losses, gradients, greedy and beam search.

import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { findReader } from '../../../../src/commands/golden-kinds.ts';
import { checkGolden } from '../../../../src/commands/jobs/verify/golden-checks.ts';
import { marianCases, readGoldenMarian } from '../../../../src/features/marian/commands/golden-marian.ts';
import { nodeFiles } from '../../../../src/host/node-files.ts';
import { testEngine } from '../../../support/engine.ts';
import { sample } from '../../../support/gpu.ts';

const shared = '../shared/golden-marian';
const cases = sample(['ssru-tied', 'ssru-int8', 'ssru-two-vocabs', 'self-attention'], (name) =>
  name.startsWith('ssru-t'),
);

it.skipIf(!existsSync(shared)).each(cases)('%s equals its reference (needs ../shared)', async (name) => {
  const folder = `${shared}/${name}`;
  expect(await findReader(nodeFiles(), folder)).toBe(marianCases);
  const all = await readGoldenMarian(nodeFiles(), folder);
  expect(all).toHaveLength(name === 'ssru-int8' ? 2 : 1);
  const rows = (await Promise.all(all.map((golden) => checkGolden(golden, testEngine)))).flat();
  expect(rows.length).toBeGreaterThan(12);
  expect(rows.filter(([, error, limit]) => !(error <= limit))).toEqual([]);
});
