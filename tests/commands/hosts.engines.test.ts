// Commands in Firefox and Deno.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runJob } from '../../src/commands/remote/run-job.ts';
import { dawnGpu } from '../../src/host/dawn.ts';
import { nodeFiles } from '../../src/host/node-files.ts';
import { runTraining } from '../../src/train/run/recovery.ts';
import type { AdapterShape } from '../support/adapter-shapes.mjs';
import { type CliOptions, heddleProcess, scratch, smallTraining } from '../support/cli.ts';
import { jobs } from '../support/jobs.ts';
import { testSession } from '../support/session.ts';
import { shapedGpu } from '../support/shaped-gpu.ts';
import { tinyCorpus, tinyTraining } from '../support/training.ts';

const at = (name: string) => join(scratch(), name);
const run = async (args: readonly string[], options: CliOptions = {}) => {
  const ended = await heddleProcess(args, options);
  expect(ended.status, ended.stderr).toBe(0);
  return ended.stdout;
};
const json = (name: string) => JSON.parse(readFileSync(at(name), 'utf8'));
const trained = new Map<string, Promise<number[]>>();
/** Losses of 50 steps on a host; the model is `at(host)`. */
function train(host: string): Promise<number[]> {
  const losses = trained.get(host) ?? trainOn(host);
  trained.set(host, losses);
  return losses;
}
const trainOn = async (host: string) => {
  const args = ['train', ...smallTraining, '--steps', '50', '--schedule', 'constant', '--lr', '0.01'];
  await run([...args, '--host', host, '--out', at(host), '--json', at(`${host}.json`)]);
  return json(`${host}.json`).losses as number[];
};

describe.each(['firefox', 'deno'] as const)('--host %s', (host) => {
  const name = `${host[0]?.toUpperCase()}${host.slice(1)}`;

  it('trains with the losses of Dawn', async () => {
    const dawn = await train('dawn');
    const losses = await train(host);
    expect(losses).toHaveLength(50);
    const apart = losses.map((loss, step) => Math.abs(loss / (dawn[step] as number) - 1));
    expect(Math.max(...apart)).toBeLessThan(1e-6);
    expect(losses[49]).toBeLessThan((losses[0] as number) - 0.3); // else the losses say little
  });

  it('trains with the same bits as Dawn with the same kernels: those without subgroups', async () => {
    writeFileSync(at('words.tsv'), tinyCorpus);
    const args = tinyTraining({ corpus: { kind: 'tsv', path: at('words.tsv') }, steps: 50 });
    const { losses } = await runJob(jobs.train, args, { host, tune: false, paths: [at('words.tsv')] });
    const { software } = await runJob(jobs.info, {}, { host });
    const same: AdapterShape = {
      name: `that of ${name}`,
      without: ['subgroups', 'subgroup-size-control'],
      info: { isFallbackAdapter: software },
    };
    const session = testSession({
      files: nodeFiles(),
      gpu: async () => shapedGpu(await dawnGpu(), same),
    });
    const { result: dawn } = await runTraining(args, session);
    await session.close();
    expect(losses).toHaveLength(50);
    expect(losses).toEqual(dawn.losses);
  });

  it("translates and evaluates Dawn's model as Dawn does", async () => {
    const translate = (where: string) =>
      run([
        'translate',
        at('dawn'),
        '--host',
        where,
        '--no-tune',
        '--max-new-tokens',
        '6',
        'Tuesday',
        'Peru',
      ]);
    expect(await translate(host)).toBe(await translate('dawn'));
    const evaluate = (where: string) =>
      run([
        'eval',
        at('dawn'),
        at('pairs.tsv'),
        '--host',
        where,
        '--no-tune',
        '--json',
        at(`eval-${where}-for-${host}.json`),
      ]);
    writeFileSync(at('pairs.tsv'), 'Tuesday\tmartes\nPeru\tPerú\n');
    await evaluate('dawn');
    await evaluate(host);
    const { loss, bleu } = json(`eval-dawn-for-${host}.json`);
    expect(json(`eval-${host}-for-${host}.json`)).toMatchObject({ bleu, loss: expect.closeTo(loss, 5) });
  });

  it('verifies a golden case', async () => {
    expect(await run(['verify', 'tests/fixtures/golden/odd-post', '--host', host])).toMatch(
      new RegExp(`^odd-post on ${host}`, 'i'),
    );
  });

  it('times kernels', async () => {
    await run([
      'bench',
      '--host',
      host,
      '--quick',
      '--small',
      '--filter',
      'layer',
      '--json',
      at(`bench-${host}.json`),
    ]);
    const { machine, conformance } = json(`bench-${host}.json`);
    expect(machine.adapter.host).toBe(name);
    expect(conformance.kernels.length).toBeGreaterThan(0);
    expect(conformance.kernels.filter((kernel: { passed: boolean }) => !kernel.passed)).toEqual([]);
  });

  it('keeps the fastest kernels by its name and version', async () => {
    const tiny = ['--preset', 'tiny', '--batch-size', '2', '--vocab-size', '60', '--source-length', '5'];
    await run(['tune', ...tiny, '--run', 'evaluation', '--seconds', '2', '--host', host]);
    const { adapters } = json(join('cache', 'kernels.json'));
    expect(Object.keys(adapters).filter((key) => new RegExp(`^${name} \\d+\\.\\d+`).test(key))).toHaveLength(
      1,
    );
  });

  it('conforms, and recovers from lost devices with the same losses', async () => {
    await run(
      ['conformance', '--host', host, '--lost-devices', '20', '--json', at(`conformance-${host}.json`)],
      {
        timeout: 590_000,
      },
    );
    const report = json(`conformance-${host}.json`);
    expect(report).toMatchObject({ passed: true, engine: { name }, recovery: { lost: 20, recovered: 20 } });
    expect(report.engine.version).toMatch(/^\d/);
    expect(report.training.error).toBeLessThan(1e-5);
    expect(report.readbackMs).toBeLessThan(50); // 100 in Firefox without src/engine/gpu/readback.ts
  });

  it('describes its adapter, with the version of the host', async () => {
    const info = await run(['info', '--host', host]);
    expect(info).toMatch(new RegExp(`^host +${name}`, 'm'));
    expect(info).toMatch(/^maxStorageBuffersPerShaderStage +\d+$/m);
  });
});
