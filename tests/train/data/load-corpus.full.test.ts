// Training on 2.5 million pairs (200 MB): memory, a resumed run, and interruptions in each phase.
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { random } from '../../../src/core/random.ts';
import { intlCorpus } from '../../../src/text/intl/intl-corpus.ts';
import { scratch } from '../../support/cli.ts';
import { distFile } from '../../support/dist.ts';

const count = 2_500_000;
const file = () => join(scratch(), 'large.tsv');
const syllables = [
  'ba',
  'ke',
  'ri',
  'to',
  'mu',
  'lan',
  'der',
  'sol',
  'qui',
  'pe',
  'tra',
  'nor',
  'vi',
  'gue',
  'zo',
];

beforeAll(() => {
  const pairs = intlCorpus({ pairs: 20_000, seed: 1 });
  const r = random(1, 1);
  const below = (n: number) => Math.floor(r.uniform() * n);
  const word = () => Array.from({ length: 2 + below(3) }, () => syllables[below(syllables.length)]).join('');
  const out = openSync(file(), 'w');
  for (let i = 0; i < count; i += 10_000) {
    const lines = Array.from({ length: 10_000 }, () => {
      const { source, target } = pairs[below(pairs.length)] as (typeof pairs)[number];
      const more = `${word()} ${below(10_000)}`;
      return `${source} ${more}\t${target} ${more}\n`;
    });
    writeSync(out, lines.join(''));
  }
  closeSync(out);
});

/** Prints the peak of resident memory in KiB at the end of a process and of its threads. */
const printPeak =
  'data:text/javascript,process.on("exit",()=>console.error("peak",process.resourceUsage().maxRSS))';

/**
 * Trains; `onText` receives the output so far. Resolves to the exit status, all output and the peak in MB.
 */
async function train(
  args: readonly string[],
  onText?: (text: string, kill: (signal: NodeJS.Signals) => void) => void,
) {
  const settings = ['--preset', 'tiny', '--tokenizer', 'bpe', '--vocab-size', '8000', '--batch-size', '2'];
  const rest = ['--host', 'cpu', '--eval-steps', '0', '--test-sentences', '0', '--verbose'];
  const child = spawn(process.execPath, [
    ...['--import', printPeak, distFile('cli.js'), 'train'],
    ...(args.includes('--resume') ? ['--host', 'cpu', '--verbose'] : [...settings, ...rest]),
    ...args,
  ]);
  let text = '';
  child.stderr.on('data', (chunk) => {
    text += chunk;
    onText?.(text, (signal) => child.kill(signal));
  });
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  const peak = Math.max(...[...text.matchAll(/^peak (\d+)$/gm)].map(([, kib]) => Number(kib))) / 1024;
  return { status, text, peak };
}

it('reads a large corpus in less than 1.5 GB, and a resumed run starts at once from the token ids', async () => {
  const out = join(scratch(), 'model');
  const { status, text, peak } = await train([file(), '--out', out, '--steps', '1']);
  expect(status, text).toBe(0);
  expect(text).toMatch(/progress .*"task":"encode".*pairs\/s, \d+ s left/);
  expect(peak).toBeGreaterThan(100);
  expect(peak).toBeLessThan(1500);
  const begin = performance.now();
  let ready = 0;
  const resumed = await train(['--resume', '--out', out, '--steps', '2'], (said) => {
    if (!ready && said.includes('training on')) ready = performance.now() - begin;
  });
  expect(resumed.status, resumed.text).toBe(0);
  expect(resumed.text).not.toMatch(/"task":"(read|count|train tokenizer|encode)"/);
  expect(ready).toBeLessThan(10_000);
  expect(resumed.peak).toBeLessThan(1500);
}, 900_000);

it.each([
  ['read', 'SIGINT', 130],
  ['count', 'SIGTERM', 143],
  ['train tokenizer', 'SIGINT', 130],
  ['encode', 'SIGTERM', 143],
] as const)(
  'stops within a second in the phase %s at %s',
  async (phase, signal, wanted) => {
    const out = join(scratch(), 'stopped');
    let sent = 0;
    // A large vocabulary, so that training the tokenizer takes long enough to show progress.
    const { status, text } = await train([file(), '--out', out, '--vocab-size', '60000'], (said, kill) => {
      if (sent || !said.includes(`"task":"${phase}"`)) return;
      sent = performance.now();
      kill(signal);
    });
    expect(performance.now() - sent).toBeLessThan(2000); // a second, and the load of other programs
    expect(status, text).toBe(wanted);
    expect([out, `${out}/tokens.cache`].filter((path) => existsSync(path))).toEqual([]);
    rmSync(out, { recursive: true, force: true });
  },
  300_000,
);
