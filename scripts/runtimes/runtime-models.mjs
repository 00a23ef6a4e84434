// The models of `npm run test:runtimes`: small ones that heddle trains in a minute each, and what they are converted to.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../install.mjs';

/** Runs a command of heddle; returns its stdout. Throws its errors. */
export function heddle(...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'dist/cli.js'), ...args], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (status !== 0)
    throw new Error(`heddle ${args.join(' ')}\n${stderr.trim().split('\n').slice(-3).join('\n')}`);
  return stdout;
}

/** A generator of numbers below n (xorshift; Marsaglia, 2003). */
function drawer(seed) {
  let state = seed;
  return (n) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % n;
  };
}

const nouns = [
  ['dog', 'el perro'],
  ['house', 'la casa'],
  ['river', 'el río'],
  ['tree', 'el árbol'],
  ['street', 'la calle'],
  ['sun', 'el sol'],
  ['train', 'el tren'],
  ['book', 'el libro'],
];
const adjectives = [
  ['red', 'rojo'],
  ['big', 'grande'],
  ['old', 'viejo'],
  ['new', 'nuevo'],
  ['green', 'verde'],
];
const verbs = [
  ['sees', 've'],
  ['finds', 'encuentra'],
  ['wants', 'quiere'],
];

/** A sentence and its translation. */
function sentence(draw) {
  const pick = (list) => list[draw(list.length)];
  const phrase = () => {
    const [noun, adjective] = [pick(nouns), draw(2) ? pick(adjectives) : undefined];
    return adjective
      ? [`the ${adjective[0]} ${noun[0]}`, `${noun[1]} ${adjective[1]}`]
      : [`the ${noun[0]}`, noun[1]];
  };
  const [subject, verb, object] = [phrase(), pick(verbs), phrase()];
  const number = draw(4) ? '' : ` ${10 + draw(90)}`;
  const text = [0, 1].map((side) => `${subject[side]} ${verb[side]} ${object[side]}${number}.`);
  return text.map((one) => one[0].toUpperCase() + one.slice(1));
}

/** Texts that a tokenizer may read otherwise: case, accents, other scripts, emoji, symbols, spaces. */
const oddTexts = [
  'ﬁne ½ café ①',
  'The  dog   sees 3 houses!',
  'Ünïcödé ñandú ÇELİK',
  '日本語 the tree',
  'مرحبا the house',
  '👍🏽 the 👨‍👩‍👧 book',
  '<b>the</b> & "old" \'tree\' {0} %s',
  'don’t — “quoted” … the sun',
  '12,345.67 € the 1st train',
  'the\u00a0dog\u2009sees',
];

/** Texts to translate: of the language of the models, unseen, and odd ones. */
export function runtimeTexts(count = 90) {
  const draw = drawer(77);
  return [...Array.from({ length: count }, () => sentence(draw)[0]), ...oddTexts];
}

const small = [
  'dModel=64',
  'heads=4',
  'feedForward=128',
  'encoderLayers=1',
  'decoderLayers=1',
  'maxLength=64',
];

/** Each model: options of its training. */
const trainings = {
  marian: ['--export-to', 'marian', '--tokenizer', 'unigram'],
  bart: ['--export-to', 'bart', '--tokenizer', 'bpe'],
  t5: ['--export-to', 't5', '--tokenizer', 'unigram'],
  firefox: [
    ...['--tokenizer', 'unigram', '--norm', 'post'],
    ...[
      'positions=marian-sinusoidal',
      'tie=all',
      'activation=relu',
      'layerNormEps=1e-6',
      'finalNorm=false',
    ].flatMap((field) => ['--set', field]),
    ...['--set', 'decoderSelfAttention=ssru', '--user-symbols', '<BT>'],
  ],
};

/** Names of the models. */
export const modelNames = Object.keys(trainings);

/** Trains a model into a folder, and returns the folder. */
export function trainModel(name, folder) {
  mkdirSync(folder, { recursive: true });
  const pairs = join(folder, 'pairs.tsv');
  const draw = drawer(5);
  if (!existsSync(pairs))
    writeFileSync(pairs, Array.from({ length: 3000 }, () => `${sentence(draw).join('\t')}\n`).join(''));
  const out = join(folder, name);
  if (existsSync(out)) return out;
  const base = name === 'firefox' ? 'firefox-tiny' : 'tiny';
  heddle(
    ...['train', pairs, '--out', out, '--preset', base, ...trainings[name]],
    ...small.flatMap((field) => ['--set', field]),
    ...[
      '--vocab-size',
      name === 'firefox' ? '128' : '400',
      '--steps',
      '300',
      '--batch-size',
      '32',
      '--dropout',
      '0',
      '--eval-steps',
      '0',
    ],
    ...['--learning-rate', '3e-3', '--schedule', 'cosine', '--warmup-steps', '30', '--test-sentences', '0'],
    ...['--no-tune', '--held-out', '0'],
  );
  return out;
}
