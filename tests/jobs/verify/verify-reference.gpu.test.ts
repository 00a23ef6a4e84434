// Verifying a model folder that does not say what must come out: the backend is held against the references in float64.

import { expect, it } from 'vitest';
import type { Engine } from '../../../src/engine/engine.ts';
import type { Files } from '../../../src/files/files.ts';
import { memoryFiles } from '../../../src/files/memory-files.ts';
import { verify } from '../../../src/jobs/verify/verify-job.ts';
import { testEngine } from '../../support/engine.ts';
import { jobContext } from '../../support/golden.ts';
import { hfFolder } from '../../support/hf.ts';

/** The configuration of a folder of tests/fixtures/hf, without weights. */
async function configAlone(): Promise<Files> {
  const files = memoryFiles();
  await files.write('m/config.json', await (await hfFolder('marian-uneven')).read('marian-uneven/config.json'));
  return files;
}

it('a configuration alone computes what its random weights say', async () => {
  const [found] = await verify({ folders: ['m'] }, jobContext(await configAlone(), testEngine));
  expect(found?.compared).toHaveLength(1);
  expect(found?.compared[0]).toMatchObject({ quantity: 'logits of float64', limit: 1e-4, passed: true });
  expect(found?.fact).toContain('at 0 of ');
});

it('fails where the backend computes something else', async () => {
  const wrong = async (): Promise<Engine> => {
    const engine = await testEngine();
    const write: Engine['write'] = (state, data, offset) =>
      engine.write(state, state === 'weights' ? data.map((x, i) => (i === 70 ? x + 1 : x)) : data, offset);
    return { ...engine, write };
  };
  const [found] = await verify({ folders: ['m'] }, jobContext(await configAlone(), wrong));
  expect(found?.compared[0]?.passed).toBe(false);
});
