// The golden cases of the project on the GPU of this host, and those in ../shared if they exist.

import { describe, expect, it } from 'vitest';
import { verify } from '../../../../src/commands/golden-kinds.ts';
import type { VerifiedCase } from '../../../../src/commands/jobs/verify/verify-job.ts';
import { testEngine } from '../../../support/engine.ts';
import { fixtureFiles, goldenFolder, goldenNames } from '../../../support/golden.ts';
import { everyCase } from '../../../support/gpu.ts';
import { EngineSession } from '../../../support/session.ts';

const folders = async (root: string): Promise<string[]> => {
  if (typeof window !== 'undefined') return [];
  const { existsSync, readdirSync } = await import('node:fs');
  if (!existsSync(root)) return [];
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => `${root}/${entry.name}`);
};
const beside = await folders('../shared/golden');

/**
 * Quantities that are further off than float32 explains: ten times what is seen, a hundredth of what is
 * promised.
 */
function far({ name, compared }: VerifiedCase): string[] {
  const limit = (quantity: string) =>
    quantity === 'greedy' ? 0 : quantity.startsWith('grad.') ? 2e-5 : 1e-5;
  return compared
    .filter((q) => !(q.error <= limit(q.quantity)))
    .map((q) => `${name} ${q.quantity} ${q.error}`);
}

async function verified(folder: string): Promise<VerifiedCase> {
  const [result] = await verify({ folders: [folder] }, new EngineSession(fixtureFiles, testEngine));
  return result!;
}

describe('golden cases', () => {
  for (const name of goldenNames)
    it(`${name} have the results of PyTorch`, async () => {
      const result = await verified(goldenFolder(name));
      expect(result.compared.length).toBeGreaterThan(30);
      expect(far(result)).toEqual([]);
    });
});

// In Chrome, `heddle verify --host chrome` on them takes minutes.
if (everyCase)
  it.each(['t5-v1.1', 'm2m_100'])('the Hugging Face case %s has the results of PyTorch', async (name) => {
    const result = await verified(`tests/fixtures/golden-hf/${name}`);
    expect(result.compared.map(({ quantity }) => quantity)).toEqual(
      expect.arrayContaining(['losses[6]', 'greedy']),
    );
    expect(far(result)).toEqual([]);
  });

it.skipIf(beside.length === 0)(
  'golden cases in ../shared have the results of PyTorch (needs ../shared/golden)',
  async () => {
    for (const folder of beside) expect(far(await verified(folder))).toEqual([]);
  },
);
