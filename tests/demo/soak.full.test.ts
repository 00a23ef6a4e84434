// scripts/soak.mjs with a tiny model and few steps.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { scratch } from '../support/cli.ts';
import { distFile } from '../support/dist.ts';

const root = resolve(import.meta.dirname, '../..');

it('counts heap, GPU buffers and step time', async () => {
  distFile('demo/index.html');
  const json = join(scratch(), 'soak.json');
  const { stdout, stderr } = await new Promise<{ stdout: string; stderr: string }>((done) => {
    const args = ['scripts/soak.mjs', '--small', '--steps', '200', '--gpu', 'swiftshader', '--json', json];
    execFile(process.execPath, args, { cwd: root, timeout: 280_000 }, (_, stdout, stderr) =>
      done({ stdout, stderr }),
    );
  });
  expect(stderr).toBe('');
  const parts = [
    ...stdout.matchAll(/^step +(\d+) {2}heap +[\d.]+ MiB {2}GPU +([\d.]+) MiB in (\d+) buffers/gm),
  ];
  expect(parts.map(([, step]) => Number(step))).toEqual([20, 40, 60, 80, 100, 120, 140, 160, 180, 200]);
  // Nothing on the GPU is made and kept after the first evaluations: a readback has a buffer for a moment
  // only, and the last line may come when all of it is freed.
  const least = (some: RegExpMatchArray[], field: number) =>
    Math.min(...some.map((part) => Number(part[field])));
  for (const field of [2, 3]) expect(least(parts.slice(6, 9), field)).toBe(least(parts.slice(2, 6), field));
  expect(stdout).toMatch(/^step time: [\d.]+ ms in steps 20 to 40, [\d.]+ ms in the last 20/m);
  // A busy machine may make the last steps slow; the heap and the buffers do not depend on it.
  expect(stdout.trim().split('\n').at(-1)).toMatch(/^(passed: |failed: a step takes longer$)/);
  const { rows, grown } = JSON.parse(readFileSync(json, 'utf8')) as {
    rows: { step: number }[];
    grown: string[];
  };
  expect(rows.map(({ step }) => step)).toEqual(parts.map(([, step]) => Number(step)));
  expect(grown.length === 0).toBe(stdout.includes('passed: '));
});
