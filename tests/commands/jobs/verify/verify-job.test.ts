// Verifying golden cases on the references, and errors for cases that fail or cannot be read.

import { describe, expect, it } from 'vitest';
import { verify } from '../../../../src/commands/golden-kinds.ts';
import type { Tensor } from '../../../../src/core/tensor.ts';
import { cpuEngine } from '../../../../src/engine/cpu-engine.ts';
import type { Files } from '../../../../src/files/files.ts';
import { memoryFiles } from '../../../../src/files/memory-files.ts';
import { readSafetensors } from '../../../../src/files/safetensors.ts';
import { writeSafetensors } from '../../../../src/files/write-safetensors.ts';
import { type ExpectedError, errorAbout } from '../../../support/expect-error.ts';
import { fixtureFiles, goldenFolder, goldenNames } from '../../../support/golden.ts';
import { smallHfJson } from '../../../support/hf.ts';
import { EngineSession } from '../../../support/session.ts';

const onCpu = (files: Files) => new EngineSession(files, async () => cpuEngine());

/** The files of the fixtures, of which one is changed. */
function changed(file: string, change: (bytes: Uint8Array) => Uint8Array): Files {
  return {
    ...fixtureFiles,
    read: async (path) => {
      const bytes = await fixtureFiles.read(path);
      return path.endsWith(`/${file}`) ? change(bytes) : bytes;
    },
  };
}
const tensors = (change: (map: Record<string, Tensor>) => void) => (bytes: Uint8Array) => {
  const map = readSafetensors(bytes);
  change(map);
  return writeSafetensors(map);
};
const config = (change: (c: Record<string, unknown>) => void) => (bytes: Uint8Array) => {
  const c = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
  change(c);
  return new TextEncoder().encode(JSON.stringify(c));
};

describe('golden cases on the references', () => {
  it('have the stored results to the last bit, all quantities of all cases', async () => {
    const session = onCpu(fixtureFiles);
    const results = await verify({ folders: goldenNames.map(goldenFolder) }, session);
    expect(results.map((r) => r.name)).toEqual([...goldenNames]);
    for (const { name, compared } of results) {
      const named = (q: string) => compared.filter((x) => x.quantity.startsWith(q)).length;
      expect([named('logits'), named('loss'), named('grad_norm'), named('greedy')]).toEqual([
        1,
        named('losses') + 1,
        1,
        1,
      ]);
      // What is stored is float32: half a bit of the largest element, and of the sum that a loss is.
      for (const { quantity, error, passed } of compared) {
        expect(passed).toBe(true);
        if (quantity === 'greedy') expect(error).toBe(0);
        else expect(error, `${name} ${quantity}`).toBeLessThan(2e-7);
      }
    }
    expect(session.events.map((e) => e.type === 'progress' && e.done)).toEqual([1, 2, 3]);
  });
});

describe('a case that fails', () => {
  const failures = async (files: Files) => {
    const [result] = await verify({ folders: [goldenFolder('odd-post')] }, onCpu(files));
    return result!.compared.filter((q) => !q.passed).map((q) => q.quantity);
  };

  it('is reported by quantity, the others pass', async () => {
    const wrong = changed(
      'expected.safetensors',
      tensors((t) => {
        t['grad.generator.bias']!.data[2]! += 0.01;
        t.losses!.data[3]! *= 1.002;
        t.greedy!.data[0]! += 1;
      }),
    );
    expect(await failures(wrong)).toEqual(['grad.generator.bias', 'losses[3]', 'greedy']);
  });

  it('fails if a tensor is missing, has another size or is NaN', async () => {
    const wrong = changed(
      'expected.safetensors',
      tensors((t) => {
        delete t['grad.generator.bias'];
        t.logits = { dtype: 'f32', shape: [1], data: t.logits!.data.slice(0, 1) };
        t.loss!.data[0] = Number.NaN;
      }),
    );
    expect(await failures(wrong)).toEqual(['logits', 'loss', 'grad.generator.bias']);
  });
});

describe('a case that cannot be read', () => {
  const cases: [string, Files, ExpectedError][] = [
    [
      'has a configuration that is no JSON',
      changed('config.json', () => new Uint8Array([123])),
      { area: 'tests/fixtures/golden/odd-post/config.json' },
    ],
    [
      'has a configuration of null',
      changed('config.json', () => new TextEncoder().encode('null')),
      { area: 'tests/fixtures/golden/odd-post/config.json' },
    ],
    [
      'has a field that nobody knows',
      changed(
        'config.json',
        config((c) => (c.n_experts = 4)),
      ),
      { area: 'tests/fixtures/golden/odd-post/config.json', values: ['n_experts'] },
    ],
    [
      'has a value out of range',
      changed(
        'config.json',
        config((c) => (c.n_heads = 3)),
      ),
      { area: 'config', options: ['dModel', 'headWidth'], offers: [{ heads: 2 }], values: ['heads', 3, 10] },
    ],
    [
      'lacks a weight',
      changed(
        'weights.safetensors',
        tensors((t) => delete t['generator.bias']),
      ),
      { area: 'weights', values: ['generator.bias'] },
    ],
    [
      'lacks its batch',
      changed(
        'batch.safetensors',
        tensors((t) => delete t.tgt_in),
      ),
      { area: 'tests/fixtures/golden/odd-post/batch.safetensors', values: ['tgt_in'] },
    ],
    [
      'has a token out of range',
      changed(
        'batch.safetensors',
        tensors((t) => (t.src!.data[1] = 11)),
      ),
      { area: 'odd-post: src', values: [11, 0, 1] },
    ],
    [
      'has padding within a row',
      changed(
        'batch.safetensors',
        tensors((t) => (t.src!.data[1] = 0)),
      ),
      { area: 'odd-post: src', values: [0, 1] },
    ],
    [
      'is cut off',
      changed('expected.safetensors', (bytes) => bytes.slice(0, -1)),
      { area: 'tests/fixtures/golden/odd-post/expected.safetensors' },
    ],
  ];
  for (const [title, files, expected] of cases)
    it(title, async () => {
      const run = verify({ folders: [goldenFolder('odd-post')] }, onCpu(files));
      await expect(run).rejects.toThrow(errorAbout(expected));
    });

  it('is named in the error', async () => {
    const run = verify({ folders: [goldenFolder('absent')] }, onCpu(fixtureFiles));
    await expect(run).rejects.toThrow(
      errorAbout({ template: 'tests/fixtures/golden/absent/config.json: cannot be read' }),
    );
  });
});

it('with keys and values in f16 refuses what is no golden case', async () => {
  const json = new TextEncoder().encode(JSON.stringify(smallHfJson('bart')));
  const session = onCpu(memoryFiles(new Map([['m/config.json', json]])));
  await expect(verify({ folders: ['m'], cacheType: 'f16' }, session)).rejects.toThrow(
    errorAbout({ options: ['cacheType'], values: ['m'] }),
  );
});
