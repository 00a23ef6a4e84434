// Golden cases of the benchmark: where they are found, and how those of the presets are made, with and
// without PyTorch.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { caseNames, configurations, prepareCase } from '../../bench/peers/bench-cases.ts';
import { findPytorch, makeGolden } from '../../bench/peers/golden-maker.ts';
import { readGolden } from '../../src/commands/jobs/verify/golden-case.ts';
import { checkGolden } from '../../src/commands/jobs/verify/golden-checks.ts';
import { cpuEngine } from '../../src/engine/cpu-engine.ts';
import { nodeFiles } from '../../src/host/node-files.ts';
import { errorAbout } from '../support/expect-error.ts';

const settings = {
  d_model: 8,
  n_heads: 2,
  d_ff: 12,
  n_encoder_layers: 1,
  n_decoder_layers: 1,
  src_vocab: 20,
  tgt_vocab: 24,
  batch: 3,
  src_len: 6,
  tgt_len: 5,
  max_len: 8,
};

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-cases-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('golden cases of the benchmark', () => {
  const folders = () => ({ known: [join(folder, 'known')], created: join(folder, 'created') });
  const find = (name: string, pytorch = () => undefined as string | undefined) =>
    prepareCase(name, folders(), () => {}, pytorch);

  it('are found in the fixtures of the tests', async () => {
    mkdirSync(join(folder, 'known', 'odd'), { recursive: true });
    writeFileSync(join(folder, 'known', 'odd', 'config.json'), '{}');
    expect(await find('odd')).toEqual({ folder: join(folder, 'known', 'odd'), reference: 'PyTorch' });
  });

  it('are listed if they exist or can be created, except incomplete ones', () => {
    for (const path of ['known/odd', 'created/small', 'created/base.partial']) {
      mkdirSync(join(folder, path), { recursive: true });
      writeFileSync(join(folder, path, 'config.json'), '{}');
    }
    mkdirSync(join(folder, 'known', 'notes'));
    expect(caseNames(folders())).toEqual(['tiny', 'small', 'mid', 'keras', 'base', 'odd']);
  });

  it('are listed in the error for an unknown name', async () => {
    await expect(find('huge')).rejects.toThrow(errorAbout({ values: ['huge', 'tiny'] }));
  });

  it('are reused, except with other settings or if PyTorch has been installed since', async () => {
    const created = join(folder, 'created', 'tiny');
    mkdirSync(created, { recursive: true });
    writeFileSync(join(created, 'config.json'), JSON.stringify(configurations.tiny));
    writeFileSync(join(created, 'reference.txt'), 'float64\n');
    expect(await find('tiny')).toEqual({ folder: created, reference: 'float64' });
    await expect(find('tiny', () => join(folder, 'no-python'))).rejects.toThrow(
      errorAbout({ values: [`${created}.partial`] }),
    );
    writeFileSync(join(created, 'config.json'), JSON.stringify({ ...configurations.tiny, d_model: 32 }));
    await expect(find('tiny', () => join(folder, 'no-python'))).rejects.toThrow(
      errorAbout({ values: [`${created}.partial`] }),
    );
  });

  it('have the losses of the float64 reference without PyTorch', async () => {
    expect(await makeGolden(folder, 'created', settings, undefined)).toBe('float64');
    const golden = await readGolden(nodeFiles(), join(folder, 'created'));
    expect([...golden.source.shape, ...golden.targetIn.shape]).toEqual([3, 6, 3, 5]);
    expect(golden.expected.losses?.data).toHaveLength(3);
    const rows = await checkGolden(golden, async () => cpuEngine());
    const checked = rows.filter(([name]) => /^(loss|losses|grad_norm)/.test(name));
    expect(checked).not.toEqual([]);
    for (const [name, error] of checked) expect(error, name).toBeLessThan(1e-6);
    expect(readFileSync(join(folder, 'created', 'reference.txt'), 'utf8')).toBe('float64\n');
  });

  const python = findPytorch();
  it.runIf(process.env.HEDDLE_FULL && python)(
    'agree with PyTorch (needs python3-torch)',
    async () => {
      expect(await makeGolden(folder, 'created', { ...settings, head_width: 8 }, python)).toBe('PyTorch');
      const rows = await checkGolden(await readGolden(nodeFiles(), join(folder, 'created')), async () =>
        cpuEngine(),
      );
      expect(rows.length).toBeGreaterThan(20);
      expect(rows.filter(([, error]) => !(error < 1e-6))).toEqual([]);
    },
    120_000,
  );
});
