// `heddle verify` with golden cases, right and wrong ones.
import { cpSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSafetensors } from '../../src/files/safetensors.ts';
import { writeSafetensors } from '../../src/files/write-safetensors.ts';
import { heddle, heddleProcess, isOneLine, scratch } from '../support/cli.ts';

const golden = resolve(import.meta.dirname, '../fixtures/golden/odd-post');

/** A copy of the case to be damaged. */
function copy(name: string): string {
  const folder = join(scratch(), 'cases', name);
  cpSync(golden, folder, { recursive: true });
  return folder;
}

// Chrome only in test:full; info-command.test.ts and profile-command.test.ts always run in Chrome too.
describe.each(process.env.HEDDLE_FULL ? ['dawn', 'chrome', 'cpu'] : ['dawn', 'cpu'])('on %s', (host) => {
  it('prints the largest error of each quantity, and all are within their limits', async () => {
    const run = host === 'dawn' ? heddleProcess : heddle;
    const { status, stdout, stderr } = await run(['verify', golden, '--host', host]);
    expect(stderr).not.toContain('heddle:');
    expect(stdout).toMatch(new RegExp(`^odd-post on ${host}`, 'm'));
    for (const quantity of ['logits', 'loss', 'gradients', 'grad_norm', 'losses', 'greedy'])
      expect(stdout).toMatch(new RegExp(`^  ${quantity} .* ok\\b`, 'm'));
    expect(stdout).not.toContain('FAILED');
    expect(status).toBe(0);
  });
});

it('shows every gradient with --verbose, takes a folder of cases, and skips files beside it', async () => {
  const file = join(copy('some/case'), '../../README.md');
  writeFileSync(file, '# Cases');
  const { stdout, stderr, status } = await heddle(['verify', file, join(file, '../some'), '--verbose']);
  expect(stderr).toContain('README.md is skipped: it is a file, not a case or a model');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^ {2}grad\.src_embed\.weight +\S+ +1e-3 {2}ok$/m);
  expect(stdout).toMatch(/^ {2}losses\[0\] /m);
});

it('names the quantities that failed, and exits with 1', async () => {
  const folder = copy('wrong');
  const path = join(folder, 'expected.safetensors');
  const expected = readSafetensors(readFileSync(path));
  const damage = (name: string, change: (x: number) => number) => {
    const data = expected[name]?.data as Float32Array;
    data[0] = change(data[0] as number);
  };
  damage('loss', (x) => x * 1.01);
  damage('grad.generator.weight', () => Number.NaN);
  damage('greedy', (x) => x + 1);
  writeFileSync(path, writeSafetensors(expected));
  const cut = copy('among');
  truncateSync(join(cut, 'weights.safetensors'), 3000);
  const empty = join(scratch(), 'empty');
  mkdirSync(empty);
  const { status, stdout, stderr } = await heddle(['verify', folder, cut, empty, golden]);
  expect(stdout).toMatch(/^among\n {2}FAILED: .*weights\.safetensors: not a valid safetensors file/m);
  expect(stdout).toMatch(/^odd-post on dawn/m);
  expect(stdout).toMatch(/^ {2}loss .*FAILED$/m);
  expect(stdout).toMatch(/^ {2}gradients +\d+ +not finite .*FAILED \(1\).*grad\.generator\.weight$/m);
  expect(stdout).toMatch(/^ {2}greedy +1 token .*FAILED$/m);
  const [line = ''] = stderr.split('\n').filter((text) => text.startsWith('heddle:'));
  expect(line).toBe(
    'heddle: verify: 5 failed: wrong: loss, wrong: grad.generator.weight, wrong: greedy, ' +
      `among: it cannot be read, ${empty}: neither a case nor a model`,
  );
  expect(status).toBe(1);
});

describe('prints one line about', () => {
  it.each([
    ['a folder that is not there', () => join(scratch(), 'none'), /none: there is no such file or folder$/m],
    [
      'a folder that is no case',
      () => scratch(),
      /neither a golden case nor a model; a case has config\.json and weights/,
    ],
    [
      'a case without weights',
      () => {
        const folder = join(scratch(), 'cases/bare');
        mkdirSync(folder, { recursive: true });
        cpSync(join(golden, 'config.json'), join(folder, 'config.json'));
        return folder;
      },
      /bare\/\w+\.safetensors: /,
    ],
    [
      'weights that are cut off',
      () => {
        const folder = copy('cut');
        truncateSync(join(folder, 'weights.safetensors'), 3000);
        return folder;
      },
      /cut\/weights\.safetensors: /,
    ],
    [
      'a field that is not known',
      () => {
        const folder = copy('field');
        const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
        writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, heads: 4 }));
        return folder;
      },
      /field\/config\.json: unknown field heads/,
    ],
    [
      'token ids out of range',
      () => {
        const folder = copy('ids');
        const path = join(folder, 'batch.safetensors');
        const batch = readSafetensors(readFileSync(path));
        (batch.src?.data as Int32Array)[0] = 100_000;
        writeFileSync(path, writeSafetensors(batch));
        return folder;
      },
      /token id 100000 in row 0 at 0 is out of range, the vocabulary has \d+ tokens/,
    ],
  ] as const)('%s', async (_, folder, message) => {
    const { status, stdout, stderr } = await heddle(['verify', folder()]);
    expect(stderr).toMatch(message);
    expect([status, stdout, isOneLine(stderr)]).toEqual([1, '', true]);
  });
});
