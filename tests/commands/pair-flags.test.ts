// The flags that name pairs: parallel files, several formats, stdin.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { pairFilesOf } from '../../src/commands/pair-flags.ts';
import { intlCorpus } from '../../src/text/intl/intl-corpus.ts';
import { heddle, heddleProcess, isOneLine, scratch, smallOnPairs } from '../support/cli.ts';
import { itInFull } from '../support/in-full.ts';

const pairs = intlCorpus({ pairs: 120 });
const at = (name: string) => join(scratch(), name);
const file = (name: string, content: string | Uint8Array): string => {
  writeFileSync(at(name), content);
  return at(name);
};
const side = (from: number, to: number, name: 'source' | 'target') =>
  `${pairs
    .slice(from, to)
    .map((pair) => pair[name])
    .join('\n')}\n`;
function train(args: readonly string[], name: string, input?: string | Uint8Array) {
  const fixed = ['--tokenizer', 'char', '--set', 'maxLength=120', '--steps', '2', '--eval-steps', '2'];
  const words = ['train', ...smallOnPairs, ...fixed, '--out', at(name), ...args];
  return input === undefined ? heddle(words) : heddleProcess(words, { input });
}
const start = (name: string) =>
  JSON.parse(readFileSync(join(at(name), 'log.jsonl'), 'utf8').split('\n')[0] as string);

beforeAll(() => {
  for (const [i, [from, to]] of [
    [0, 40],
    [40, 80],
  ].entries()) {
    file(`train${i}.en`, side(from as number, to as number, 'source'));
    file(`train${i}.es.gz`, gzipSync(side(from as number, to as number, 'target')));
  }
  const quoted = pairs
    .slice(80, 90)
    .map(({ source, target }) => `"${target}","${source.replaceAll('"', '""')}"`);
  file('dev.csv', `es,en\n${quoted.join('\n')}\n`);
  const json = pairs.slice(90, 100).map(({ source, target }) => JSON.stringify({ en: source, es: target }));
  file('test.jsonl', `${json.join('\n')}\n`);
});

describe('trains and evaluates on', () => {
  it('parallel files, some of them gzipped, with dev and test pairs in CSV and JSON lines', async () => {
    const columns = ['--source-column', 'en', '--target-column', 'es'];
    const { status, stderr, stdout } = await train(
      [
        ...['--source', at('train0.en'), at('train1.en'), '--target', at('train0.es.gz'), at('train1.es.gz')],
        ...['--dev', at('dev.csv'), '--test', at('test.jsonl'), ...columns, '--test-sentences', '5'],
      ],
      'parallel',
    );
    expect(status, stderr).toBe(0);
    expect(stderr).toContain('80 training pairs');
    expect(stdout).toMatch(/^5 test sentences/);
    expect(start('parallel').corpus).toMatchObject({ pairs: 80, dev: 10, test: 10 });
    const evaluated = await heddle(['eval', at('parallel'), '--host', 'cpu', at('dev.csv'), ...columns]);
    expect(evaluated.stdout, evaluated.stderr).toMatch(/^pairs +10\n/);
  });

  itInFull('stdin, and a file of each kind', async () => {
    const tsv = pairs.slice(0, 60).map(({ source, target }) => `${source}\t${target}\n`);
    const dev = ['--dev-source', at('train0.en'), '--dev-target', at('train0.es.gz')];
    const { status, stderr } = await train(['-', ...dev], 'stdin', gzipSync(tsv.join('')));
    expect(status, stderr).toBe(0);
    expect(start('stdin').corpus).toMatchObject({ name: 'stdin', pairs: 60, dev: 40, test: 0 });
    const evaluated = await heddleProcess(['eval', at('stdin'), '--host', 'cpu', '-'], {
      input: tsv.slice(0, 7).join(''),
    });
    expect(evaluated.stdout, evaluated.stderr).toMatch(/^pairs +7\n/);
  });
});

it('reports progress while it prepares a large corpus, and stops at once at Ctrl-C', async () => {
  const lines = Array.from({ length: 1_200_000 }, (_, i) => {
    const { source, target } = pairs[i % pairs.length] as (typeof pairs)[number];
    return `${i} ${source}\t${i} ${target}\n`;
  });
  let stopped = 0;
  const { status, stderr } = await heddleProcess(
    ['train', file('large.tsv', lines.join('')), '--out', at('large')],
    {
      onStart(child) {
        child.stderr?.on('data', (text: Buffer) => {
          if (stopped || !/^(read|split|hash|count|encode) \d+\/\d+ .*\/s, \d+ s left$/m.test(String(text)))
            return;
          stopped = performance.now();
          child.kill('SIGINT');
        });
      },
    },
  );
  const took = performance.now() - stopped;
  expect([status, stopped > 0], stderr).toEqual([130, true]);
  expect(stderr).toContain('train: stopped before the first step; nothing was saved');
  expect(took).toBeLessThan(20_000); // a second, and the load of other tests
  expect(existsSync(at('large'))).toBe(false);
});

it.each([
  [['--source', 'a'], '--source needs --target too'],
  [['--source', 'a', 'b', '--target', 'c'], '--source has 2 files, --target 1'],
  [['x.tsv', '--source', 'a', '--target', 'b'], 'x.tsv and --source a exclude each other'],
  [['x.tsv', '--dev-source', 'a'], '--dev-source needs --dev-target too'],
  [['-', '--dev', '-'], '- (stdin) is named twice'],
  [['--dev', 'x.tsv'], 'dev and test pairs need files of training pairs'],
])('train %j is rejected', async (args, message) => {
  const { status, stderr } = await train(args, 'rejected');
  expect([status, isOneLine(stderr)], stderr).toEqual([1, true]);
  expect(stderr).toContain(message);
  expect(existsSync(at('rejected'))).toBe(false);
});

it('makes paths absolute, except stdin', () => {
  expect(pairFilesOf(['a.csv', '-'], { sourceColumn: 'en', format: 'csv' })).toEqual({
    files: [resolve('a.csv'), '-'],
    format: 'csv',
    sourceColumn: 'en',
  });
  expect(pairFilesOf([], {})).toBeUndefined();
});
