// BART and MarianMT folders on the GPU of this host: a small one of each, and the trained one in ../shared if
// it exists.

import { expect, it } from 'vitest';
import { verify } from '../../../../src/commands/golden-kinds.ts';
import { testEngine } from '../../../support/engine.ts';
import { fixtureFiles } from '../../../support/golden.ts';
import { hfFolder } from '../../../support/hf.ts';
import { EngineSession } from '../../../support/session.ts';

/**
 * float32 sums of a dozen numbers of size 10 in a dozen layers: 1e-5 is ten times what is seen, a tenth of
 * what is promised.
 */
const limits: Record<string, number> = { 'source tokens': 0, tokens: 0, texts: 0, 'first logits': 1e-5 };

it.each(['bart', 'marian', 'marian-uneven'] as const)('%s decodes as its reference', async (name) => {
  const [result] = await verify({ folders: [name] }, new EngineSession(await hfFolder(name), testEngine));
  expect(result?.compared.map((q) => q.quantity)).toEqual(Object.keys(limits));
  expect(result?.compared.filter((q) => !(q.error <= (limits[q.quantity] as number)))).toEqual([]);
});

const folder = '../shared/models/bart-g2p';
const there = typeof window === 'undefined' && (await fixtureFiles.exists(`${folder}/expected.json`));
it.skipIf(!there)('../shared/models/bart-g2p converts spellings to the phonemes that it lists', async () => {
  const [result] = await verify({ folders: [folder] }, new EngineSession(fixtureFiles, testEngine));
  expect(result?.compared.filter((q) => !q.passed)).toEqual([]);
});
