// Vocabularies without padding and start tokens, as Marian has: those of `heddle tokenizer --special-tokens marian`, and those that a
// training of a model with SSRUs makes.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadModel, train } from '../../../src/entries/heddle.node.ts';
import { readSentencePiece } from '../../../src/text/sentencepiece/sentencepiece-model.ts';
import { heddle, scratch } from '../../support/cli.ts';

const pairs = Array.from({ length: 40 }, (_, i) => ({
  source: `the ${i} green houses of ${i % 7} friends`,
  target: `las ${i} casas verdes de ${i % 7} amigos`,
}));

it('trains a vocabulary with the end token 0, the unknown token 1 and the asked number of pieces', async () => {
  const at = (name: string) => join(scratch(), name);
  writeFileSync(at('pairs.tsv'), pairs.map(({ source, target }) => `${source}\t${target}\n`).join(''));
  const words = [
    'tokenizer',
    at('pairs.tsv'),
    '--out',
    at('vocab'),
    '--vocab-size',
    '32',
    '--no-byte-fallback',
  ];
  const plain = await heddle([...words, '--force']);
  expect(plain.status, plain.stderr).toBe(0);
  const before = readSentencePiece(new Uint8Array(readFileSync(at('vocab.model'))), 'vocab.model');
  const { status, stderr } = await heddle([...words, '--force', '--special-tokens', 'marian']);
  expect(status, stderr).toBe(0);
  const { pieces, special } = readSentencePiece(
    new Uint8Array(readFileSync(at('vocab.model'))),
    'vocab.model',
  );
  expect(special).toEqual({ unknown: 1, end: 0, pad: -1 });
  expect([before.pieces.length, pieces.length]).toEqual([32, 32]);
  expect(pieces.slice(0, 2)).toMatchObject([
    { text: '</s>', type: 'control' },
    { text: '<unk>', type: 'unknown' },
  ]);
  expect(pieces.some(({ text }) => text === '<s>' || text === '<pad>')).toBe(false);
});

it('a model with SSRUs that is trained with pieces is written for Firefox', async () => {
  const model = await train(pairs, {
    preset: 'firefox-tiny',
    model: { dModel: 64, feedForward: 64, encoderLayers: 1, decoderLayers: 1 },
    tokenizer: 'unigram',
    vocabSize: 32,
    steps: 1,
    batchSize: 4,
    tune: false,
    device: 'cpu',
  });
  expect(model.config).toMatchObject({ startId: -1, endId: 0, padId: -1, tgtVocab: 32 });
  const folder = join(scratch(), 'own');
  await model.save(folder, { format: 'firefox', formatOptions: { languagePair: 'enes' } });
  model.dispose();
  const again = await loadModel(folder, { device: 'cpu' });
  expect(again.config.decoderSelfAttention).toBe('ssru');
  again.dispose();
});
