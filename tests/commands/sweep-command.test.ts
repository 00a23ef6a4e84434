// heddle train with several seeds: a folder for each run, a comparison, and resumption.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readSafetensors } from '../../src/files/safetensors.ts';
import { heddle, heddleProcess, scratch, smallTraining } from '../support/cli.ts';
import { itInFull } from '../support/in-full.ts';
import { tinyCorpus } from '../support/training.ts';

it('trains a run for each seed and value, compares them, and resumes', async () => {
  const [pairs, out] = [join(scratch(), 'sweep.tsv'), join(scratch(), 'sweep')];
  writeFileSync(pairs, tinyCorpus);
  const small = [
    '--set',
    'dModel=8',
    '--set',
    'heads=2',
    '--set',
    'feedForward=16',
    '--set',
    'encoderLayers=1',
  ];
  const train = (...args: string[]) =>
    heddle([
      ...['train', pairs, '--host', 'cpu', '--tokenizer', 'char', '--batch-size', '4', '--steps', '2'],
      ...['--eval-steps', '1', '--test-sentences', '0', '--set', 'decoderLayers=1', ...small],
      ...['--seed', '1,2', '--grid', 'learningRate=1e-3,1e-2', '--out', out, ...args],
    ]);
  const ended = await train();
  expect(ended.status, ended.stderr).toBe(0);
  const names = ['1e-3_seed-1', '1e-3_seed-2', '1e-2_seed-1', '1e-2_seed-2'].map((n) => `learningRate-${n}`);
  for (const name of names) expect(existsSync(join(out, name, 'model.safetensors')), name).toBe(true);
  for (const rate of ['0.001', '0.01'])
    expect(ended.stdout).toContain(`mean ± standard deviation of 2 seeds, learningRate ${rate}: dev loss`);
  expect(readFileSync(join(out, 'runs.html'), 'utf8')).toContain('Mean and standard deviation over seeds');

  const listed = await heddle(['runs', out, '--json']);
  const all = JSON.parse(listed.stdout) as {
    seeds: { count: number; mean: { loss: number }; deviation: { loss: number } };
    best: { loss: { value: number } };
  }[];
  expect(all.map(({ seeds }) => seeds.count)).toEqual([2, 2, 2, 2]);
  const [a, b] = all.slice(0, 2).map(({ best }) => best.loss.value) as [number, number];
  expect(all[0]?.seeds.mean.loss).toBeCloseTo((a + b) / 2, 9);
  expect(all[0]?.seeds.deviation.loss).toBeCloseTo(Math.abs(a - b) / Math.SQRT2, 9);

  const again = await train();
  expect([again.status, again.stderr]).toEqual([
    1,
    expect.stringContaining('exists; --resume continues the sweep'),
  ]);
  const [, , , lost = ''] = names;
  rmSync(join(out, lost), { recursive: true });
  writeFileSync(join(out, 'runs.html'), 'mine');
  const resumed = await train('--resume');
  expect(resumed.status, resumed.stderr).toBe(0);
  expect(resumed.stderr).toContain(`run 1 of 4: ${join(out, names[0] as string)} is finished`);
  expect(resumed.stderr).not.toContain(`${join(out, lost)} is finished`);
  expect(resumed.stderr).toContain('the comparison was not written: heddle did not write this file');
  expect(readFileSync(join(out, 'runs.html'), 'utf8')).toBe('mine');
  expect(existsSync(join(out, lost, 'model.safetensors'))).toBe(true);

  const longer = await train('--steps', '3', '--resume');
  expect(longer.status, longer.stderr).toBe(0);
  expect(longer.stderr).not.toContain('is finished');
  const steps = (JSON.parse((await heddle(['runs', out, '--json'])).stdout) as { step: number }[]).map(
    ({ step }) => step,
  );
  expect(steps).toEqual([3, 3, 3, 3]);
});

it('finds what stands in the way of a later run before the first one', async () => {
  const [pairs, out] = [join(scratch(), 'few.tsv'), join(scratch(), 'other')];
  writeFileSync(pairs, tinyCorpus);
  mkdirSync(join(out, 'seed-2'), { recursive: true });
  writeFileSync(join(out, 'seed-2', 'notes.md'), 'mine');
  const train = (file: string) => heddle(['train', file, '--seed', '1,2', '--out', out, '--host', 'cpu']);
  const { status, stderr } = await train(pairs);
  expect([status, stderr]).toEqual([1, expect.stringContaining("that is not heddle's (notes.md)")]);
  expect((await train('-')).stderr).toContain('give files, not -');
  expect(readdirSync(out)).toEqual(['seed-2']);
});

itInFull(
  'continues a sweep after a kill in the middle of a run, with the same bits',
  async () => {
    const flags = (name: string) => [
      ...['train', ...smallTraining, '--steps', '12', '--save-steps', '2', '--eval-steps', '4'],
      ...['--seed', '1,2', '--grid', 'learningRate=1e-3,3e-3', '--out', join(scratch(), name)],
    ];
    const names = ['1e-3_seed-1', '1e-3_seed-2', '3e-3_seed-1', '3e-3_seed-2'].map(
      (n) => `learningRate-${n}`,
    );
    expect((await heddleProcess(flags('whole'))).status).toBe(0);
    const [, second = ''] = names;
    const checkpoint = join(scratch(), 'killed', second, 'optimizer.safetensors');
    const killed = await heddleProcess(flags('killed'), {
      onStart(child) {
        const timer = setInterval(() => {
          if (!existsSync(checkpoint)) return;
          clearInterval(timer);
          child.kill('SIGKILL');
        }, 20);
      },
    });
    expect(killed.status).toBe(null);
    const resumed = await heddleProcess([...flags('killed'), '--resume']);
    expect([resumed.status, resumed.stderr]).toEqual([0, expect.stringContaining(`${names[0]} is finished`)]);
    const weights = (sweep: string, name: string) =>
      readSafetensors(new Uint8Array(readFileSync(join(scratch(), sweep, name, 'model.safetensors'))));
    for (const name of names) expect(weights('killed', name), name).toEqual(weights('whole', name));
  },
  300_000,
);

it('needs a folder for several runs', async () => {
  const { status, stderr } = await heddle(['train', '--seed', '1,2', '--pairs', '20']);
  expect([status, stderr]).toEqual([1, expect.stringContaining('several runs need --out FOLDER')]);
});
