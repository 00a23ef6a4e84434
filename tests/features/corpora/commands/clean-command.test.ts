// heddle clean: faults are dropped with their rule, the others stay in order; a killed run continues.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { defaultLimits } from '../../../../src/features/corpora/clean/clean-rules.ts';
import { CleanRun } from '../../../../src/features/corpora/commands/clean-run.ts';
import { intlCorpus } from '../../../../src/text/intl/intl-corpus.ts';
import { heddle } from '../../../support/cli.ts';
import { distFile } from '../../../support/dist.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-clean-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);
const read = (name: string) => readFileSync(at(name), 'utf8');

const good = [
  ...new Set(
    intlCorpus({ pairs: 300, seed: 2 })
      .filter(({ source, target }) => source !== target)
      .map(({ source, target }) => `${source}\t${target}`),
  ),
];
const limits = { ...defaultLimits, letters: 0, numbers: 0, 'near-duplicate-pair': 0 };

it('drops faults with their rule, keeps the order, and writes rejected pairs and a report', async () => {
  const faults = [
    ['malformed', 'no tab'],
    ['empty', '\tun texto'],
    ['markup', 'a <b>text</b>\tun texto'],
    ['duplicate-pair', good[0] as string],
  ] as const;
  const lines = good.flatMap((line, i) =>
    i % 50 === 10 ? [line, faults[(i / 50) | 0]?.[1] ?? line] : [line],
  );
  writeFileSync(at('in.tsv'), lines.map((line) => `${line}\n`).join(''));
  const rules = ['letters=0', 'numbers=0', 'near-duplicate-pair=0'].flatMap((rule) => ['--rule', rule]);
  const files = ['--out', at('out.tsv'), '--rejected', at('rejected.tsv'), '--report', at('report.html')];
  const { status, stdout } = await heddle(['clean', at('in.tsv'), ...files, ...rules, '--threads', '0']);
  expect(status).toBe(0);
  expect(stdout).toContain(`${good.length} of ${lines.length} pairs kept`);
  expect(read('out.tsv')).toBe(good.map((line) => `${line}\n`).join(''));
  expect(read('rejected.tsv').split('\n').slice(0, 4)).toEqual(
    faults.map(([rule, line]) => `${rule}\t${line}`),
  );
  expect(read('report.html')).toContain('a &lt;b&gt;text&lt;/b&gt;');
  expect(existsSync(at('out.tsv.part')) || existsSync(at('out.tsv.clean-state'))).toBe(false);
  const again = await heddle(['clean', at('in.tsv'), '--out', at('out.tsv')]);
  expect(again.stderr).toMatch(/this file exists; --force overwrites it/);
  expect((await heddle(['clean', at('in.tsv'), '--out', at('b.tsv'), '--rule', 'x=1'])).stderr).toMatch(
    /no rule has this name/,
  );
});

it('continues an interrupted run, with the same result', async () => {
  const many = Array.from({ length: 40 }, (_, i) => good.map((line) => `${line} ${i}\n`).join('')).join('');
  writeFileSync(at('many.tsv'), many + many);
  const args = (name: string) => ({
    pairs: { files: [at('many.tsv')] },
    limits,
    languages: {},
    threads: 0,
    out: at(`${name}.tsv`),
    rejected: at(`${name}-rejected.tsv`),
  });
  const never = new AbortController().signal;
  const whole = await (await CleanRun.open(args('whole'))).run(() => undefined, never);
  expect(whole).toMatchObject({ pairs: 80 * good.length, kept: 40 * good.length });
  let calls = 0;
  const stopped = await CleanRun.open(args('parts'));
  const stop = () => {
    if (++calls > 2) throw new Error('stop');
    return undefined;
  };
  await expect(stopped.run(stop, never)).rejects.toThrow(new Error('stop'));
  // What was written after the last state is written again.
  writeFileSync(at('parts.tsv.part'), 'half a li', { flag: 'a' });
  const second = await CleanRun.open(args('parts'));
  expect(second.done).toBeGreaterThan(0);
  expect(await second.run(() => undefined, never)).toEqual(whole);
  for (const ending of ['.tsv', '-rejected.tsv']) expect(read(`parts${ending}`)).toBe(read(`whole${ending}`));
});

it('continues after a full disk with the same result, and does not count a block twice', async () => {
  // More rejected than kept pairs: with the limit of 60 KiB, the first write that fails is that of a rejected part.
  const many = Array.from({ length: 40 }, (_, i) =>
    good.map((line) => `${line} ${i}\n`.replace(/\t.*/, i % 4 ? '\t' : '$&')).join(''),
  );
  writeFileSync(at('large.tsv'), many.join('').repeat(3));
  const args = (name: string) => [
    ...['clean', at('large.tsv'), '--out', at(`${name}.tsv`), '--rejected', at(`${name}-rejected.tsv`)],
    ...['--threads', '0', `--json=${at(`${name}.json`)}`],
  ];
  expect((await heddle(args('free'))).status).toBe(0);
  const limit = (readFileSync(at('free-rejected.tsv')).length / 1024 - 50) | 0;
  expect(readFileSync(at('free.tsv')).length).toBeLessThan(limit * 1024);
  const limited = `trap '' XFSZ; ulimit -f ${limit}; exec "$@"`;
  const program = [process.execPath, distFile('cli.js')];
  const full = spawnSync('bash', ['-c', limited, 'bash', ...program, ...args('full')], { encoding: 'utf8' });
  expect([full.status, full.stderr]).toEqual([1, expect.stringContaining('larger than the system permits')]);
  expect(existsSync(at('full.tsv.clean-state.new'))).toBe(false);
  const { status, stderr } = await heddle(args('full'));
  expect([status, stderr]).toEqual([0, expect.stringMatching(/continuing after [1-9]/)]);
  for (const ending of ['.tsv', '-rejected.tsv', '.json'])
    expect(read(`full${ending}`)).toBe(read(`free${ending}`));
});

it.skipIf(!existsSync('/dev/full'))(
  'continues without --force after a full disk at its report or its JSON, and leaves no file that looks complete',
  async () => {
    writeFileSync(at('few.tsv'), `${good.slice(0, 9).join('\n')}\n`);
    for (const flag of ['report', 'json']) {
      const out = at(`${flag}.tsv`);
      // A full device; a write to it fails as on a full disk.
      const run = (file: string) => heddle(['clean', at('few.tsv'), '--out', out, `--${flag}=${file}`]);
      const full = await run('/dev/full');
      expect([full.status, full.stderr]).toEqual([1, expect.stringContaining('full')]);
      expect([existsSync(out), existsSync(`${out}.part`)]).toEqual([false, true]);
      const { status, stderr, stdout } = await run(at(`${flag}.out`));
      expect([status, stdout]).toEqual([0, expect.stringMatching(/^.*: \d of 9 pairs kept$/m)]);
      expect(stderr).toContain('continuing after 1 block of an interrupted run');
      expect(existsSync(at(`${flag}.out`))).toBe(true);
      expect([existsSync(out), existsSync(`${out}.part`)]).toEqual([true, false]);
    }
  },
);

it('starts again if one of its parts is gone', async () => {
  const args = {
    ...{ pairs: { files: [at('many.tsv')] }, limits, languages: {}, threads: 0 },
    ...{ out: at('gone.tsv'), rejected: at('gone-rejected.tsv') },
  };
  const never = new AbortController().signal;
  let calls = 0;
  const stop = () => {
    if (++calls > 2) throw new Error('stop');
    return undefined;
  };
  await expect((await CleanRun.open(args)).run(stop, never)).rejects.toThrow(new Error('stop'));
  rmSync(at('gone-rejected.tsv.part')); // as after a kill between the last two renames
  const again = await CleanRun.open(args);
  expect(again.done).toBe(0);
  await again.run(() => undefined, never);
  for (const ending of ['.tsv', '-rejected.tsv']) expect(read(`gone${ending}`)).toBe(read(`whole${ending}`));
});

it("leaves files of the user's with the names of its parts", async () => {
  writeFileSync(at('few.tsv'), `${good.slice(0, 9).join('\n')}\n`);
  for (const name of ['mine.tsv.part', 'mine.tsv.clean-state']) {
    writeFileSync(at(name), 'mine');
    const { status, stderr } = await heddle(['clean', at('few.tsv'), '--out', at('mine.tsv')]);
    expect([status, stderr]).toEqual([
      1,
      `heddle: ${at(name)}: heddle did not write this file, so it is not replaced; move it away\n`,
    ]);
    expect(read(name)).toBe('mine');
    rmSync(at(name));
  }
  const same = ['--out', at('one.tsv'), '--rejected', at('one.tsv')];
  expect((await heddle(['clean', at('few.tsv'), ...same])).stderr).toMatch(/--rejected .*name another file/);
});

it('drops texts in other languages, and counts them by side and language', async () => {
  const lines = [
    'The house on the hill is old.\tLa casa en la colina es vieja.',
    'Je ne sais pas ce que tu veux de moi.\tNo sé lo que quieres de mí.',
    'We will see you tomorrow morning.\tWir sehen uns morgen früh im Haus.',
  ];
  writeFileSync(at('languages.tsv'), lines.map((line) => `${line}\n`).join(''));
  const args = ['clean', at('languages.tsv'), '--source-lang', 'en', '--target-lang', 'es', '--threads', '0'];
  const files = ['--out', at('same.tsv'), '--report', at('languages.html')];
  const { stdout } = await heddle([...args, ...files]);
  expect(stdout).toMatch(/1 of 3 pairs kept/);
  expect(stdout).toMatch(/other languages: source fr 1, target de 1/);
  expect(read('same.tsv')).toBe(`${lines[0]}\n`);
  expect(read('languages.html')).toMatch(/source fr<\/td><td class="count">1</);
  const off = await heddle([...args, '--out', at('all.tsv'), '--rule', 'language=0']);
  expect(off.stdout).toMatch(/3 of 3 pairs kept/);
});
