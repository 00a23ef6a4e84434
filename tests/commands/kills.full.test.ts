// kill -9 at random moments of the commands that make data: the same command continues or starts again, and its files
// have the bytes of an uninterrupted run: no line lost, none twice, and nothing beside them.
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { random } from '../../src/core/random.ts';
import { intlCorpus } from '../../src/text/intl/intl-corpus.ts';
import { type Ended, heddleProcess, smallOnPairs, smallTraining } from '../support/cli.ts';

const work = mkdtempSync(join(tmpdir(), 'heddle-kills-'));
afterAll(() => rmSync(work, { recursive: true }));

beforeAll(async () => {
  const pairs = [...intlCorpus({ pairs: 3000, seed: 4 })];
  const lines = pairs.map(({ source, target }) => `${source}\t${target}\n`);
  writeFileSync(join(work, 'few.tsv'), lines.slice(0, 250).join(''));
  writeFileSync(join(work, 'many.tsv'), Array.from({ length: 12 }, () => lines.join('')).join(''));
  writeFileSync(
    join(work, 'texts.txt'),
    pairs
      .slice(0, 400)
      .map(({ source }) => `${source}\n`)
      .join(''),
  );
  for (const [name, seed] of [
    ['m', '1'],
    ['back', '2'],
  ] as const) {
    const args = ['train', ...smallTraining, '--steps', '3', '--seed', seed, '--out', name];
    const { status, stderr } = await heddleProcess(args, { cwd: work });
    expect(status, stderr).toBe(0);
  }
});

/** The commands. */
const commands: readonly (readonly string[])[] = [
  ['backtranslate', 'm', 'texts.txt', '--out', 'bt.tsv', '--no-tune'],
  ['distill', 'm', 'few.tsv', ...smallOnPairs, '--steps', '6', '--save-steps', '2', '--out', 'student'],
  [
    'clean',
    'few.tsv',
    '--model',
    'm',
    '--backward',
    'back',
    '--out',
    'kept.tsv',
    '--keep',
    '0.5',
    '--no-tune',
  ],
  ['clean', 'many.tsv', '--out', 'clean.tsv', '--rejected', 'bad.tsv', '--report', 'clean.html'],
  ['tokenizer', 'many.tsv', '--out', 'pieces', '--vocab-size', '900'],
  ['align', 'many.tsv', '--out', 'words.align', '--lexical-table', 'words.lex'],
];

/** Files of trainings with times and ids of runs. */
const timed = ['log.jsonl', 'report.html', 'heddle-manifest.json', 'state.json'];

/** Hash of a file; a report names the cleaned files with their folder. */
function hashOf(path: string, folder: string): string {
  const bytes = readFileSync(path);
  const text = path.endsWith('.html') ? bytes.toString().replaceAll(folder, '') : bytes;
  return createHash('sha256').update(text).digest('hex');
}

/** Hashes of all files in a folder by path, without those of the cache. */
function filesIn(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && !entry.parentPath.includes('.cache') && !timed.includes(entry.name),
  );
  const paths = files.map(({ parentPath, name }) => join(parentPath, name)).sort();
  return Object.fromEntries(paths.map((path) => [relative(folder, path), hashOf(path, folder)]));
}

/** Runs a command in a folder, and kills it after some milliseconds. */
function run(args: readonly string[], cwd: string, after?: number): Promise<Ended> {
  let timer: NodeJS.Timeout | undefined;
  const kill = (child: ChildProcess) => {
    if (after !== undefined) timer = setTimeout(() => child.kill('SIGKILL'), after);
  };
  const env = { HEDDLE_CACHE: join(work, '.cache') };
  return heddleProcess(args, { cwd, env, onStart: kill, timeout: 300_000 }).finally(() =>
    clearTimeout(timer),
  );
}

/** A copy of the inputs. */
function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-killed-'));
  cpSync(work, folder, { recursive: true, filter: (path) => !path.includes('.cache') });
  return folder;
}

it.for(commands)('continues after kill -9 with the same bytes: %j', async (args) => {
  const r = random(args.join(' ').length);
  const whole = freshFolder();
  const begin = performance.now();
  const { status, stderr } = await run(args, whole);
  let ms = performance.now() - begin;
  expect(status, stderr).toBe(0);
  const expected = filesIn(whole);
  rmSync(whole, { recursive: true });
  for (let [i, killed] = [0, 0]; killed < 5; i++) {
    expect(i, `${killed} runs were killed before their end`).toBeLessThan(25);
    const folder = freshFolder();
    const after = ms * (0.2 + 0.75 * r.uniform());
    const start = performance.now();
    const first = await run(args, folder, after);
    if (first.status === 0)
      ms = Math.min(ms, performance.now() - start); // the machine has less to do now
    else killed++;
    // A second kill, of the run that continues.
    if (first.status !== 0 && killed % 2 === 0) await run(args, folder, after / 2);
    const there = Object.keys(filesIn(folder)).filter((path) => !(path in expected));
    const last = first.status === 0 ? first : await run(args, folder);
    const at = `${args[0]}, killed after ${Math.round(after)} of ${Math.round(ms)} ms (left: ${there})`;
    expect(last.status, `${at}: ${last.stderr}`).toBe(0);
    expect(filesIn(folder), at).toEqual(expected);
    rmSync(folder, { recursive: true });
  }
});
