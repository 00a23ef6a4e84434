// `heddle tune` and its cache of kernel choices.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { heddle, scratch } from '../support/cli.ts';

/** What the file keeps of its one adapter, by the version of Dawn. */
function kept(file: string) {
  type Known = Record<'measured' | 'guessed', Record<string, string>>;
  const { adapters } = JSON.parse(readFileSync(file, 'utf8')) as { adapters: Record<string, Known> };
  expect(Object.keys(adapters)).toEqual([expect.stringMatching(/^Dawn \d+\.\d+\.\d+ /)]);
  return Object.values(adapters)[0] as Known;
}

const tiny = ['--preset', 'tiny', '--batch-size', '2', '--vocab-size', '60', '--source-length', '5'];

it('stores the fastest variants in the cache folder for later runs, and ignores a corrupt file there', async () => {
  const cache = join(scratch(), 'cache');
  mkdirSync(cache, { recursive: true });
  const file = join(cache, 'kernels.json');
  writeFileSync(file, '{"version":1,"shaders":');
  const env = { HEDDLE_CACHE: cache };
  const tuned = await heddle(['tune', ...tiny, '--run', 'evaluation', '--seconds', '20'], { env });
  expect(tuned.status, tuned.stderr).toBe(0);
  expect(tuned.stderr).toMatch(/^tune \d+\/\d+ {2}measuring kernels/m);
  expect(tuned.stdout).toMatch(/^kernel and tensors +ms +best +others \(time relative to the best\)$/m);
  expect(tuned.stdout).toMatch(/ {2}[\w-]+ {2}[\w-]+ [\d.]+/);
  expect(tuned.stdout).toMatch(/^\d+ kernels measured in [\d.]+ s/m);
  expect(tuned.stdout.trimEnd().split('\n').at(-1)).toBe(`stored in ${file}`);
  const { measured } = kept(file);
  expect(Object.keys(measured).some((key) => key.startsWith('linear '))).toBe(true);

  // There is no time for all of them: stored timings stay.
  const again = await heddle(['tune', ...tiny, '--run', 'evaluation', '--seconds', '0.001'], { env });
  expect(again.status, again.stderr).toBe(0);
  const stored = kept(file);
  expect(Object.keys(stored.measured)).toEqual(Object.keys(measured));
  const choices = { ...stored.guessed, ...stored.measured }; // the second run may have timed a kernel again

  const profile = ['profile', ...tiny, '--run', 'evaluation', '--runs', '1', '--json', '--no-trace'];
  const profiled = await heddle(profile, { env });
  expect(profiled.status, profiled.stderr).toBe(0);
  expect(profiled.stderr).not.toMatch(/measuring kernels/);
  const variants = (JSON.parse(profiled.stdout) as { passes: { pass: { op: string; variant: string } }[] })
    .passes;
  const known = new Set(Object.entries(choices).map(([key, variant]) => `${key.split(' ')[0]} ${variant}`));
  const timed = new Set(Object.keys(choices).map((key) => key.split(' ')[0]));
  expect(timed).toContain('linear');
  for (const { op, variant } of variants.map(({ pass }) => pass))
    if (timed.has(op)) expect(known).toContain(`${op} ${variant}`); // an op with one variant is not timed
});

it('prints the timings and an error if the cache folder cannot be written', async () => {
  const cache = join(scratch(), 'a-file');
  writeFileSync(cache, '');
  const { status, stdout, stderr } = await heddle(
    ['tune', ...tiny, '--run', 'evaluation', '--seconds', '0.5'],
    {
      env: { HEDDLE_CACHE: cache },
    },
  );
  expect(stdout).toMatch(/^\d+ kernels measured in [\d.]+ s/m);
  expect(stdout).not.toContain('stored in');
  expect(stderr).toMatch(
    /^heddle: tune: the tuned kernels could not be stored: .*a-file.kernels\.json: cannot write/m,
  );
  expect(status).toBe(1);
});
