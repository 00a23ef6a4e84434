// Verifying weights kept in fewer bits: golden cases, folders with an expected.json and folders without; errors are found and told.

import { describe, expect, it } from 'vitest';
import { verify } from '../../../src/jobs/verify/verify-job.ts';
import { packedFormats } from '../../../src/ops/matmul/packed-weights.ts';
import { testEngine } from '../../support/engine.ts';
import { fixtureFiles, goldenFolder, jobContext } from '../../support/golden.ts';
import { hfFolder } from '../../support/hf.ts';

describe.each(packedFormats)('weights as %s', (weights) => {
  it('are held against f32 on a golden case and on a folder of BART', async () => {
    const [golden] = await verify(
      { folders: [goldenFolder('odd-post')], weights },
      jobContext(fixtureFiles, testEngine),
    );
    const [bart] = await verify({ folders: ['bart'], weights }, jobContext(await hfFolder('bart'), testEngine));
    const found = [golden!, bart!];
    expect(found.map(({ name }) => name)).toEqual(['odd-post', 'bart']);
    for (const { compared, fact } of found) {
      expect(compared).toHaveLength(1);
      expect(compared[0]).toMatchObject({ quantity: `logits as ${weights} of f32`, passed: true });
      // Less than half a step of each weight would be no packing at all.
      expect(compared[0]!.error).toBeGreaterThan(1e-6);
      expect(fact).toMatch(new RegExp(`^weights as ${weights}: [0-9.]+ MiB, [0-9.]+ MiB as f32`));
      expect(fact).toMatch(/another token is the likeliest at \d+ of \d+ places$/);
    }
  });
});
