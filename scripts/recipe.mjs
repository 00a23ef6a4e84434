// npm run recipe: makes the table of docs/training.md, "The recipe": the recorded training on
// ../shared/data/tatoeba-en-es, and the same training with each part of the recipe added. Each row is a list of heddle
// commands; the script can be killed at any time and continues (state.json in --out). It says how long each row takes.
// `npm run build` first. Options: --data DIR, --out DIR, --rows a,b, --steps N, --pairs N, --dev N, --preset NAME.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const root = resolve(import.meta.dirname, '..');
const { values: o } = parseArgs({
  options: {
    data: { type: 'string', default: resolve(root, '../shared/data/tatoeba-en-es') },
    out: { type: 'string', default: resolve(root, 'runs/recipe') },
    rows: { type: 'string' },
    steps: { type: 'string', default: '6000' },
    pairs: { type: 'string' },
    dev: { type: 'string' },
    preset: { type: 'string', default: 'small' },
    bootstrap: { type: 'string', default: '1000' },
  },
});
const steps = Number(o.steps);
mkdirSync(o.out, { recursive: true });
const at = (name) => join(o.out, name);

/** The first lines of a file, or the file if there is no limit. */
function part(name, lines) {
  const text = readFileSync(join(o.data, `${name}.tsv`), 'utf8');
  const kept = lines === undefined ? text : `${text.split('\n').slice(0, Number(lines)).join('\n')}\n`;
  const path = at(`${name}.tsv`);
  if (!existsSync(path)) writeFileSync(path, kept);
  return path;
}
const train = part('train', o.pairs);
const dev = part('dev', o.dev);

/** The lines of a file. */
const linesOf = (path) =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');

/** Writes a file in the output folder once; `lines` makes its lines. Returns its path. */
function written(name, lines) {
  const path = at(name);
  if (!existsSync(path)) writeFileSync(path, `${lines().join('\n')}\n`);
  return path;
}

const columns = (path) => linesOf(path).map((line) => line.split('\t').slice(0, 2));
const swapped = (path) => columns(path).map((pair) => pair.toReversed().join('\t'));
const [trainBack, devBack] = [
  written('train-back.tsv', () => swapped(train)),
  written('dev-back.tsv', () => swapped(dev)),
];
/** What a model translates to train on: every third text, without doubles. */
const third = (texts) => [...new Set(texts)].filter((_, i) => i % 3 === 0);
const targets = written('targets.txt', () => third(columns(train).flatMap(([, target]) => target ?? [])));
const sources = written('sources.txt', () => third(columns(train).map(([source]) => source)));
const thirdPairs = written('third.tsv', () => third(columns(train).map((pair) => pair.join('\t'))));

/** Flags that all trainings share: those of the recorded training (docs/benchmarks.md). */
const common =
  `--preset ${o.preset} --set tie=all --set norm=pre --max-tokens 2048 --dropout 0.1 --label-smoothing 0.1 --learning-rate 2e-3 --schedule cosine --warmup-steps ${Math.min(400, Math.ceil(steps / 10))} --buckets 4 --test-sentences 0 --eval-steps ${Math.max(1, Math.ceil(steps / 6))} --keep-last 3 --save-steps ${Math.max(1, Math.ceil(steps / 12))} --save-seconds 0`.split(
    ' ',
  );
const size = ['--steps', o.steps];
const pieces = ['--tokenizer', 'unigram', '--vocab-size', o.pairs ? '600' : '4000', '--user-symbols', '<BT>'];
const sampled = [...pieces, '--sampling-alpha', '0.2'];
/** Twice the updates of half the tokens: the same tokens and minutes. The moving average needs that many updates. */
const halves =
  `--max-tokens 1024 --steps ${2 * steps} --warmup-steps ${Math.min(800, Math.ceil(steps / 5))} --ema-decay 0.999`.split(
    ' ',
  );
/** 3.9 million parameters with a vocabulary of 3,900 pieces. */
const larger =
  '--vocab-size 3900 --learning-rate 1.5e-3 --set dModel=192 --set heads=6 --set feedForward=768 --set encoderLayers=3 --set decoderLayers=3'.split(
    ' ',
  );
const trained = (pairs, out, ...flags) => [
  'train',
  ...[pairs].flat(),
  '--dev',
  dev,
  '--out',
  at(out),
  ...common,
  ...size,
  ...flags,
];

/** The sources with the translations of the model itself. */
function ownPairs() {
  const own = readFileSync(at('own.txt'), 'utf8').split('\n');
  const pairs = () => linesOf(sources).map((source, i) => `${source}\t${own[i]}`);
  return written('own.tsv', () => pairs().filter((pair) => !pair.endsWith('\t'))); // a translation may be empty
}
const ownSteps = Math.ceil(steps / 5);
const ownTraining =
  `--init ${at('unigram')} --held-out 0 --steps ${ownSteps} --max-tokens 2048 --buckets 4 --dropout 0 --label-smoothing 0.1 --learning-rate 4e-4 --schedule cosine --warmup-steps ${Math.ceil(ownSteps / 24)} --ema-decay 0.995 --eval-steps 0 --test-sentences 0`.split(
    ' ',
  );

/** The rows: name, what is said of it, commands, and the model that is evaluated with its flags. */
const rows = [
  {
    name: 'recorded',
    text: 'recorded recipe: byte-pair encoding',
    commands: [trained(train, 'recorded', '--tokenizer', 'bpe', '--vocab-size', o.pairs ? '600' : '4000')],
    model: 'recorded',
  },
  {
    name: 'pieces',
    text: 'unigram',
    commands: [trained(train, 'pieces', ...pieces)],
    model: 'pieces',
  },
  {
    name: 'unigram',
    text: 'unigram, subword regularization',
    commands: [trained(train, 'unigram', ...sampled)],
    model: 'unigram',
  },
  {
    name: 'halves',
    text: 'unigram, twice the updates of half the tokens, moving average',
    commands: [trained(train, 'halves', ...pieces, ...halves, '--dropout', '0.05')],
    model: 'halves',
  },
  {
    name: 'larger',
    text: 'the same with 3.9 million parameters',
    commands: [trained(train, 'larger', ...pieces, ...halves, ...larger)],
    model: 'larger',
  },
  {
    name: 'clean',
    text: 'and cleaned pairs',
    commands: [
      ['clean', train, '--out', at('clean.tsv'), '--source-lang', 'en', '--target-lang', 'es'],
      trained(at('clean.tsv'), 'clean', ...sampled),
    ],
    model: 'clean',
  },
  {
    name: 'backtranslation',
    text: 'and back-translation from Spanish',
    commands: [
      ['train', trainBack, '--dev', devBack, '--out', at('back'), ...common, ...size, ...sampled],
      ['backtranslate', at('back'), targets, '--out', at('bt.tsv'), '--method', 'sample'],
      trained(['--data', `${train}=0.7`, `${at('bt.tsv')}=0.3`], 'backtranslation', ...sampled),
    ],
    model: 'backtranslation',
  },
  {
    name: 'distillation',
    text: 'and distillation from a larger model',
    commands: [
      trained(train, 'teacher', ...sampled, '--set', 'dModel=192', '--set', 'feedForward=768'),
      [
        'distill',
        at('teacher'),
        thirdPairs,
        '--dev',
        dev,
        '--out',
        at('distillation'),
        '--nbest',
        '4',
        ...common,
        ...size,
        ...sampled,
      ],
    ],
    model: 'distillation',
  },
  {
    name: 'self-distillation',
    text: 'unigram, then a fifth of the updates on its own translations by 4 beams',
    needs: ['unigram'],
    commands: [
      [
        ...['translate', at('unigram'), '--input', sources, '--beams', '4'],
        ...['--out', at('own.txt'), '--force'],
      ],
      () => ['train', ownPairs(), '--dev', dev, '--out', at('self-distillation'), ...ownTraining],
    ],
    model: 'self-distillation',
  },
  {
    name: 'averaging',
    text: 'unigram with averaged checkpoints and 4 beams',
    needs: ['unigram'],
    commands: [() => ['average', ...lastCheckpoints('unigram'), '--out', at('averaged')]],
    model: 'averaged',
    decoding: ['--beams', '4'],
  },
];

/** The checkpoints that --keep-last kept of a model. */
function lastCheckpoints(name) {
  const folders = execFileSync('ls', [o.out], { encoding: 'utf8' }).split('\n');
  return folders.filter((folder) => folder.startsWith(`${name}.step-`)).map(at);
}

const statePath = at('state.json');
const options = JSON.stringify({ ...o, rows: undefined });
const state = existsSync(statePath) ? JSON.parse(readFileSync(statePath, 'utf8')) : { options, done: {} };
if (state.options !== options)
  throw new Error(`${statePath} is of other options: ${state.options}; use another --out`);
const save = () => {
  writeFileSync(`${statePath}.new`, JSON.stringify(state, undefined, 1));
  renameSync(`${statePath}.new`, statePath);
};

const cli = join(root, 'dist/cli.js');

/** Runs a command of heddle; returns what it prints. Throws if it fails. */
function heddle(args) {
  const { status, stdout, signal } = spawnSync(process.execPath, [cli, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) process.stderr.write(stdout ?? '');
  if (status !== 0 || signal)
    throw new Error(`heddle ${args[0]} ended with ${signal ?? status}; run the script again to continue`);
  return stdout;
}

const outOf = (args) => args[args.indexOf('--out') + 1];

/** Number of updates of the model of a training. */
const stepOf = (args) => JSON.parse(readFileSync(join(outOf(args), 'state.json'), 'utf8')).step;

/** A command that continues what an earlier run of the script began. */
function resumed(args) {
  const out = outOf(args);
  if (args[0] === 'train' && existsSync(join(out, 'state.json'))) return ['train', '--resume', '--out', out];
  return args[0] === 'average' && existsSync(out) ? [...args, '--force'] : args;
}

/** Does the work under a key once; returns its result. */
function once(key, work) {
  if (state.done[key]) return state.done[key];
  state.partly ??= {};
  const before = state.partly[key] ?? 0;
  const begin = performance.now();
  const seconds = () => before + (performance.now() - begin) / 1000;
  try {
    state.done[key] = { ...work(), seconds: seconds() };
  } catch (error) {
    state.partly[key] = seconds(); // of a command that was stopped
    throw error;
  } finally {
    save();
  }
  return state.done[key];
}

const wanted = o.rows?.split(',') ?? rows.map(({ name }) => name);
const unknown = wanted.find((name) => !rows.some((row) => row.name === name));
if (unknown)
  throw new Error(`there is no row ${unknown}; there are ${rows.map(({ name }) => name).join(', ')}`);
for (const row of rows) {
  if (!wanted.includes(row.name)) continue;
  for (const need of row.needs ?? [])
    if (!state.done[`${need} result`]) throw new Error(`the row ${row.name} needs the row ${need}`);
  console.error(`recipe: ${row.name}: ${row.text}`);
  for (const [i, command] of row.commands.entries()) {
    const args = typeof command === 'function' ? command() : command;
    const { seconds } = once(`${row.name} ${i} ${args[0]}`, () => {
      heddle(resumed(args));
      // A training that is stopped by Ctrl-C ends well, but early.
      if (args[0] === 'train' && stepOf(args) < Number(args[args.lastIndexOf('--steps') + 1]))
        throw new Error(`the training was stopped at step ${stepOf(args)}; run the script again to continue`);
      return {};
    });
    console.error(`recipe: ${row.name}: ${args[0]} took ${(seconds / 60).toFixed(1)} min`);
  }
  once(`${row.name} result`, () => {
    const json = heddle([
      'eval',
      at(row.model),
      dev,
      '--bootstrap',
      o.bootstrap,
      '--json',
      ...(row.decoding ?? []),
    ]);
    const { systems, signatures } = JSON.parse(json);
    return { scores: systems[0], signatures };
  });
}

/** Minutes of the training and preparation of a row. */
const minutes = (name) =>
  Object.entries(state.done).reduce(
    (sum, [key, { seconds }]) =>
      key.startsWith(`${name} `) && !key.endsWith(' result') ? sum + seconds / 60 : sum,
    0,
  );
const score = ({ score: value, interval }) => `${value.toFixed(2)} ± ${(interval ?? Number.NaN).toFixed(2)}`;
const lines = [
  '| row | minutes | BLEU | chrF2 |',
  '| --- | ------- | ---- | ----- |',
  ...rows.flatMap(({ name, text }) => {
    const result = state.done[`${name} result`];
    return result
      ? [
          `| ${text} | ${minutes(name).toFixed(1)} | ${score(result.scores.bleu)} | ${score(result.scores.chrf)} |`,
        ]
      : [];
  }),
];
writeFileSync(at('table.md'), `${lines.join('\n')}\n`);
console.log(lines.join('\n'));
