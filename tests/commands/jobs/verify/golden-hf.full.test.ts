// Odd configurations of Hugging Face's families, made by tests/fixtures/golden-hf/make.py, on the CPU and on
// Dawn. Without Debian's python3-torch the cases cannot be made: then nothing is covered here.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verify } from '../../../../src/commands/golden-kinds.ts';
import { cpuEngine } from '../../../../src/engine/cpu-engine.ts';
import { nodeFiles } from '../../../../src/host/node-files.ts';
import { testEngine } from '../../../support/engine.ts';
import { watchTests } from '../../../support/gpu.ts';
import { hasTorch } from '../../../support/python.ts';
import { EngineSession } from '../../../support/session.ts';

watchTests();

/** Cases of each family, of a seed that `npm run test:full` can change. */
const count = 6;
const seed = Number(process.env.HEDDLE_SEED ?? 1);

describe.skipIf(!hasTorch)(`golden-hf cases of seed ${seed}`, () => {
  const root = mkdtempSync(join(tmpdir(), 'heddle-golden-hf-'));
  let folders: string[] = [];
  beforeAll(() => {
    execFileSync('/usr/bin/python3', ['tests/fixtures/golden-hf/make.py', root, `${count}`, `${seed}`]);
    folders = readdirSync(root).map((name) => join(root, name));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it.each([
    ['float64', cpuEngine, 1e-6],
    ['Dawn', testEngine, 2e-5],
  ] as const)('agree with PyTorch in %s', async (_, engine, limit) => {
    expect(folders).toHaveLength(6 * count);
    const session = new EngineSession(nodeFiles(), async () => engine());
    for (const { name, compared } of await verify({ folders }, session)) {
      const far = compared.filter(
        ({ quantity, error, limit: own }) => !(error <= Math.min(limit, own)) && quantity,
      );
      expect(far, name).toEqual([]);
    }
  });
});
