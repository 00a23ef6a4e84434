// SentencePiece models that heddle trains: pieces, text and sizes, the same bytes for any threads, and the same
// pieces as Debian's spm_encode where it is installed.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runSteps } from '../../../src/core/steps.ts';
import { intlCorpus } from '../../../src/text/intl/intl-corpus.ts';
import { pieceOptionsOf } from '../../../src/text/sentencepiece/piece-options.ts';
import { pieceSteps } from '../../../src/text/sentencepiece/piece-training.ts';
import { openSentencePiece } from '../../../src/text/sentencepiece/processor.ts';
import { sentencePieceSteps } from '../../../src/text/sentencepiece/sentencepiece-training.ts';
import { createWordCounter } from '../../../src/text/sentencepiece/word-counter.ts';
import { scratch } from '../../support/cli.ts';
import { errorAbout } from '../../support/expect-error.ts';

const texts = intlCorpus({ pairs: 600, seed: 3 }).flatMap(({ source, target }) => [source, target]);
const odd = [
  '',
  ' a  b ',
  '日本語のテキスト、カタカナ。ｶﾀｶﾅ １２３ ～',
  'السلام عليكم ١٢٣ لَا',
  '👍🏽 👨‍👩‍👧 🇩🇪 e\u0301 ﬁ ½ Å 각',
  'a\u0000b\u0001\u0007\u200b\u2028\ufeff\u2581c',
  '<0x41> <s></s> <unk> <BT>x<BT> 1998',
  'x '.repeat(3000),
  'ab'.repeat(5000),
];

const train = (kind: 'unigram' | 'sentencepiece-bpe', size: number, pieces = {}, list = texts) => {
  const options = { kind, size, pieces };
  const counter = createWordCounter(pieceOptionsOf(options));
  for (const text of list) counter.add(text);
  return runSteps(pieceSteps(counter.counts(), pieceOptionsOf(options)));
};

const hasTools = spawnSync('spm_encode', ['--version']).status === 0;

it.each([
  ['unigram', {}],
  ['unigram', { splitDigits: true, userSymbols: ['<BT>', '<a b>'], controlSymbols: ['<ctl>'] }],
  ['sentencepiece-bpe', { userSymbols: ['<BT>'] }],
] as const)('trains %s %j: text comes back, and the order of texts is irrelevant', (kind, pieces) => {
  const file = train(kind, 700, pieces);
  expect(train(kind, 700, pieces, [...texts].reverse())).toEqual(file);
  const model = openSentencePiece(file);
  expect(model.model.pieces.length).toBeLessThanOrEqual(700);
  for (const text of texts)
    expect(model.decode(model.encode(text).map((piece) => piece.text))).toBe(
      model.normalize(text).slice(1).replaceAll('\u2581', ' '),
    );
  if (!hasTools) return;
  // Lines for the tools: they have no newlines, and the tools stop at NUL.
  const lines = [...texts.slice(0, 200), ...odd].map((text) => text.replaceAll('\u0000', ''));
  const path = join(scratch(), 'a.model');
  writeFileSync(path, file);
  const run = (tool: string, input: string) =>
    spawnSync(tool, [`--model=${path}`], { input, encoding: 'utf8', maxBuffer: 2 ** 28 }).stdout;
  const ours = lines.map((text) => model.encode(text).map((piece) => piece.text));
  const encoded = ours.map((list) => `${list.join(' ')}\n`).join('');
  expect(encoded).toBe(run('spm_encode', lines.map((text) => `${text}\n`).join('')));
  expect(ours.map((list) => `${model.decode(list)}\n`).join('')).toBe(run('spm_decode', encoded));
});

it('has the pieces that options ask for', () => {
  const { model } = openSentencePiece(
    train('unigram', 700, { splitDigits: true, userSymbols: ['<BT>'], controlSymbols: ['<ctl>'] }),
  );
  const texts = model.pieces.map(({ text }) => text);
  expect(texts.slice(0, 7)).toEqual(['<pad>', '<s>', '</s>', '<unk>', '<ctl>', '<BT>', '<0x00>']);
  expect(
    model.pieces.filter(({ text, type }) => type === 'normal' && /[0-9]/.test(text) && text.length > 1),
  ).toEqual([]);
  expect(model.byteFallback).toBe(true);
  expect(openSentencePiece(train('unigram', 300)).model.byteFallback).toBe(false);
});

it('reads its own tokenizer.json, from which the .model file is made again', async () => {
  const { loadTokenizer } = await import('../../../src/text/load-tokenizer.ts');
  for (const kind of ['unigram', 'sentencepiece-bpe'] as const) {
    const options = { kind, size: 700, pieces: { userSymbols: ['<BT>'] } };
    const counter = createWordCounter(pieceOptionsOf(options));
    for (const text of texts) counter.add(text);
    const tokenizer = runSteps(sentencePieceSteps(counter.counts(), options));
    const copy = loadTokenizer(JSON.stringify(tokenizer));
    expect(copy.modelFile).toEqual(tokenizer.modelFile);
    expect(JSON.stringify(copy)).toBe(JSON.stringify(tokenizer));
    for (const text of ['Good morning, 1998!', '<BT> x', ...odd.slice(0, 5)])
      expect(copy.encode(text)).toEqual(tokenizer.encode(text));
    // Hugging Face's library reads it too.
    const { Tokenizer } = await import('tokenizers');
    const theirs = Tokenizer.fromString(JSON.stringify(tokenizer));
    for (const text of texts.slice(0, 50)) {
      const encoding = await theirs.encode(text, null, { addSpecialTokens: false });
      expect(encoding.getIds()).toEqual(tokenizer.encode(text));
      expect(await theirs.decode(encoding.getIds(), true)).toBe(tokenizer.decode(encoding.getIds()));
    }
  }
});

it.skipIf(!hasTools)('has about the likelihood of spm_train', () => {
  const input = join(scratch(), 'texts.txt');
  writeFileSync(input, texts.map((text) => `${text}\n`).join(''));
  const prefix = join(scratch(), 'ref');
  const args = [
    '--vocab_size=500',
    '--pad_id=0',
    '--bos_id=1',
    '--eos_id=2',
    '--unk_id=3',
    '--hard_vocab_limit=false',
  ];
  spawnSync('spm_train', [`--input=${input}`, `--model_prefix=${prefix}`, ...args, '--minloglevel=2']);
  const mean = (file: Uint8Array) => {
    const { model, encode } = openSentencePiece(file);
    const sum = texts.reduce(
      (all, text) => all + encode(text).reduce((n, { id }) => n + (model.pieces[id]?.score ?? 0), 0),
      0,
    );
    return sum / texts.length;
  };
  const [ours, theirs] = [
    mean(train('unigram', 500, { byteFallback: false })),
    mean(readFileSync(`${prefix}.model`)),
  ];
  expect(ours).toBeGreaterThan(1.01 * theirs);
});

it('throws for a size without room, and for a symbol that is named twice', () => {
  expect(() => train('unigram', 260, { byteFallback: true })).toThrow(
    errorAbout({ area: 'tokenizer', values: [260] }),
  );
  expect(() => train('unigram', 900, { userSymbols: ['<s>'] })).toThrow(
    errorAbout({ area: 'tokenizer', values: ['<s>'] }),
  );
});
