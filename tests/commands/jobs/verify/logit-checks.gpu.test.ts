// heddle verify on model folders: the backend against the float64 reference, and f16 and int8 weights against
// f32.

import { describe, expect, it } from 'vitest';
import { verify } from '../../../../src/commands/golden-kinds.ts';
import type { Engine } from '../../../../src/engine/engine.ts';
import { packedFormats } from '../../../../src/engine/ops/matmul/packed-weights.ts';
import type { Files } from '../../../../src/files/files.ts';
import { memoryFiles } from '../../../../src/files/memory-files.ts';
import { testEngine } from '../../../support/engine.ts';
import { fixtureFiles, goldenFolder } from '../../../support/golden.ts';
import { hfFolder } from '../../../support/hf.ts';
import { override } from '../../../support/override.ts';
import { EngineSession } from '../../../support/session.ts';

/** The configuration of a folder of tests/fixtures/hf, without weights. */
async function configOnly(): Promise<Files> {
  const files = memoryFiles();
  await files.write(
    'm/config.json',
    await (await hfFolder('marian-uneven')).read('marian-uneven/config.json'),
  );
  return files;
}

it('a configuration without weights gives the same logits as the float64 reference', async () => {
  const [found] = await verify({ folders: ['m'] }, new EngineSession(await configOnly(), testEngine));
  expect(found?.compared).toHaveLength(1);
  expect(found?.compared[0]).toMatchObject({ quantity: 'logits of float64', limit: 1e-4, passed: true });
  expect(found?.fact).toContain('at 0 of ');
});

it('fails if the backend computes something else', async () => {
  const wrong = async (): Promise<Engine> => {
    const engine = await testEngine();
    const write: Engine['write'] = (state, data, offset) =>
      engine.write(state, state === 'weights' ? data.map((x, i) => (i === 70 ? x + 1 : x)) : data, offset);
    return override(engine, { write });
  };
  const [found] = await verify({ folders: ['m'] }, new EngineSession(await configOnly(), wrong));
  expect(found?.compared[0]?.passed).toBe(false);
});

describe.each(packedFormats)('weights as %s', (weights) => {
  it('are compared with f32 on a golden case and on a folder of BART', async () => {
    const [golden] = await verify(
      { folders: [goldenFolder('odd-post')], weights },
      new EngineSession(fixtureFiles, testEngine),
    );
    const [bart] = await verify(
      { folders: ['bart'], weights },
      new EngineSession(await hfFolder('bart'), testEngine),
    );
    const found = [golden!, bart!];
    expect(found.map(({ name }) => name)).toEqual(['odd-post', 'bart']);
    for (const { compared, fact } of found) {
      expect(compared).toHaveLength(1);
      expect(compared[0]).toMatchObject({ quantity: `logits as ${weights} of f32`, passed: true });
      // A smaller error would mean that the weights are not packed.
      expect(compared[0]!.error).toBeGreaterThan(1e-6);
      expect(fact).toMatch(
        new RegExp(`^weights as ${weights}(?: \\(.*?\\))?: [0-9.]+ MiB, [0-9.]+ MiB as f32`),
      );
      expect(fact).toMatch(/the most likely token differs at \d+ of \d+ positions$/);
    }
  });
});
