// npm run bench:codes -- --rebuild FOLDER: makes the measured model of docs/translators.md from the general model of
// the page, and measures it. It can be killed at any time and continues; it says how long each step took.
// Options: --steps N (updates, 1,200), --strings N (strings that are measured, 2,000), --data FOLDER (train.tsv of
// Tatoeba's pairs, English and Spanish, of which 2,500 are mixed in).
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { addSymbols } from './add-symbols.mjs';

const root = resolve(import.meta.dirname, '../..');
/** Placeholders of codes, eight of each kind, and marks of terms: src/features/corpora/augment/augment-rates.ts. */
const symbols = [
  ...[0xe000, 0xe800, 0xf000].flatMap((first) =>
    Array.from({ length: 8 }, (_, i) => String.fromCharCode(first + i)),
  ),
  ...['__source__', '__target__', '__done__'],
];
/** Pairs of Tatoeba, and the strings that are dev pairs. */
const [generalPairs, devPairs] = [2500, 200];

/** Runs a Node program of the repository; its output goes to a file, if one is named. Throws if it fails. */
function run(program, args, output) {
  const stdio = ['ignore', output === undefined ? 'inherit' : 'pipe', 'inherit'];
  const { status, signal, stdout } = spawnSync(process.execPath, [join(root, program), ...args], { stdio });
  if (status !== 0) throw new Error(`${program} ${args[0]}: ${signal ?? `status ${status}`}`);
  if (output !== undefined) writeFileSync(output, stdout);
}

/** The steps by name; `at` is a path in the folder. */
const steps = (at, o) => ({
  base() {
    const general = join(root, 'demo/models/en-es-general.safetensors');
    run('dist/cli.js', ['convert', general, at('general'), '--to', 'heddle', '--dtype', 'f32', '--force']);
    addSymbols(at('general/model.safetensors'), at('base.safetensors'), symbols);
  },
  pairs() {
    run('bench/codes/codes-main.mjs', ['--train', at('data'), '--strings', o.strings]);
    const lines = readFileSync(at('data/train.tsv'), 'utf8').trimEnd().split('\n');
    const isDev = (i) => i % Math.ceil(lines.length / devPairs) === 0;
    const general = join(o.data, 'train.tsv');
    const others = existsSync(general)
      ? readFileSync(general, 'utf8').split('\n').slice(0, generalPairs)
      : [];
    const write = (name, all) => writeFileSync(at(`data/${name}.tsv`), `${all.join('\n')}\n`);
    write(
      'dev',
      lines.filter((_, i) => isDev(i)),
    );
    write('mixed', [...lines.filter((_, i) => !isDev(i)), ...others.filter(Boolean)]);
  },
  train() {
    const warmup = Math.min(50, Math.ceil(o.steps / 10));
    const settings =
      '--max-tokens 1536 --buckets 3 --dropout 0.1 --label-smoothing 0.1 --learning-rate 1e-3 --schedule cosine ' +
      `--warmup-steps ${warmup} --ema-decay 0.99 --augment placeholders=0.3 --eval-steps 200 --dev-sentences 50 ` +
      '--save-steps 50 --no-tune --test-sentences 0';
    const start = existsSync(at('model/state.json')) ? ['--resume'] : ['--init', at('base.safetensors')];
    const files = [at('data/mixed.tsv'), '--dev', at('data/dev.tsv'), '--out', at('model')];
    run('dist/cli.js', ['train', ...files, ...start, '--steps', o.steps, ...settings.split(' ')]);
  },
  measure() {
    run('bench/codes/codes-main.mjs', [at('model'), '--strings', o.strings], at('measured.md.new'));
    renameSync(at('measured.md.new'), at('measured.md'));
  },
});

/** Runs the steps that are not done. */
export function rebuild(args) {
  const { values } = parseArgs({
    args,
    options: {
      rebuild: { type: 'string' },
      steps: { type: 'string', default: '1200' },
      strings: { type: 'string', default: '2000' },
      data: { type: 'string', default: resolve(root, '../shared/data/tatoeba-en-es') },
    },
  });
  const folder = resolve(values.rebuild);
  mkdirSync(folder, { recursive: true });
  const at = (name) => join(folder, name);
  const doneFile = at('steps.json');
  const done = existsSync(doneFile) ? JSON.parse(readFileSync(doneFile, 'utf8')) : {};
  for (const [name, work] of Object.entries(steps(at, values))) {
    if (done[name] === undefined) {
      console.log(`${name}:`);
      const begin = performance.now();
      work();
      done[name] = (performance.now() - begin) / 1000;
      writeFileSync(`${doneFile}.new`, JSON.stringify(done));
      renameSync(`${doneFile}.new`, doneFile);
    }
    console.log(`${name}: done in ${done[name].toFixed(0)} s`);
  }
  console.log(`\n${readFileSync(at('measured.md'), 'utf8')}`);
}
