import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { heddle, scratch } from '../support/cli.ts';

const tiny = ['--preset', 'tiny', '--batch', '2', '--vocab', '60', '--source', '5'];

it('keeps what won in the cache folder, where a corrupt file counts as nothing, and where later runs find it', async () => {
  const cache = join(scratch(), 'cache');
  mkdirSync(cache, { recursive: true });
  const file = join(cache, 'kernels.json');
  writeFileSync(file, '{"version":1,"shaders":');
  const env = { HEDDLE_CACHE: cache };
  const tuned = await heddle(['tune', ...tiny, '--run', 'evaluation', '--seconds', '20'], { env });
  expect(tuned.status, tuned.stderr).toBe(0);
  expect(tuned.stderr).toMatch(/^tune \d+\/\d+ {2}measuring kernels/m);
  expect(tuned.stdout).toMatch(/^kernel and tensors +ms +best +others, times slower$/m);
  expect(tuned.stdout).toMatch(/ {2}[\w-]+ {2}[\w-]+ [\d.]+/);
  expect(tuned.stdout).toMatch(/^\d+ kernels measured in [\d.]+ s/m);
  const { adapters } = JSON.parse(readFileSync(file, 'utf8')) as { adapters: Record<string, Record<string, string>> };
  const [choices] = Object.values(adapters) as [Record<string, string>];
  expect(Object.keys(choices).some((key) => key.startsWith('linear '))).toBe(true);

  const profiled = await heddle(['profile', ...tiny, '--run', 'evaluation', '--runs', '1', '--json'], { env });
  expect(profiled.status, profiled.stderr).toBe(0);
  expect(profiled.stderr).not.toMatch(/measuring/);
  const variants = (JSON.parse(profiled.stdout) as { passes: { pass: { op: string; variant: string } }[] }).passes;
  const known = new Set(Object.entries(choices).map(([key, variant]) => `${key.split(' ')[0]} ${variant}`));
  for (const { op, variant } of variants.map(({ pass }) => pass))
    if (variant !== 'only') expect(known).toContain(`${op} ${variant}`);
});
