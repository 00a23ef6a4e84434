// Finds the tokenizer files of a model folder.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { jsonBytes } from '../../../src/files/json-files.ts';
import { readTokenizerFiles } from '../../../src/formats/tokenizers/tokenizer-files.ts';
import { type ExpectedError, errorAbout } from '../../support/expect-error.ts';
import { trainWords } from '../../support/tokenizers.ts';

const spm = (name: string) =>
  new Uint8Array(readFileSync(resolve(import.meta.dirname, `../../fixtures/sentencepiece/${name}.model`)));
const [source, target] = [spm('unigram'), spm('bpe')];
const vocab = { '</s>': 0, '<unk>': 1, '▁the': 2, '▁': 3, '<pad>': 4 };
const files = { 'source.spm': source, 'target.spm': target, 'vocab.json': jsonBytes(vocab) };
const special = { pad: 4, start: 4, end: 0 };
const facts = { special, srcVocab: 5, tgtVocab: 5 };

it('reads the two models of MarianMT with one vocabulary', () => {
  const found = readTokenizerFiles(files, facts, 'opus');
  expect([found?.source.kind, found?.source.size, found?.target.size]).toEqual(['sentencepiece', 5, 5]);
  expect(found?.source.special).toEqual({ ...special, unknown: 1 });
  expect(found?.source.encode('the')).toEqual([2]);
  expect(found?.target).not.toBe(found?.source);
});

it('reads a vocabulary for each side', () => {
  const own = { 'target_vocab.json': jsonBytes({ '</s>': 0, '<unk>': 1, '<pad>': 4, '▁the': 3 }) };
  const found = readTokenizerFiles({ ...files, ...own }, facts, 'opus');
  expect([found?.source.encode('the'), found?.target.encode('the')]).toEqual([[2], [3]]);
});

it('reads one tokenizer.json for both sides', () => {
  const words = trainWords(['one two three'], { size: 20 });
  const json = { 'tokenizer.json': jsonBytes(words) };
  const found = readTokenizerFiles(
    json,
    { special: { pad: 0, start: 1, end: 2 }, srcVocab: 9, tgtVocab: 9 },
    'm',
  );
  expect(found?.source).toBe(found?.target);
  expect([found?.source.size, found?.source.encode('three')]).toEqual([9, words.encode('three')]);
});

it('returns undefined if there is none', () => {
  expect(readTokenizerFiles({ 'vocab.json': files['vocab.json'] }, facts, 'm')).toBeUndefined();
});

it.each<[string, Record<string, Uint8Array | undefined>, ExpectedError]>([
  [
    'no vocabulary',
    { 'vocab.json': undefined },
    { kind: 'not-found', area: 'opus', values: ['vocab.json', 'source.spm'] },
  ],
  ['one side only', { 'target.spm': undefined }, { kind: 'not-found', area: 'opus', values: ['target.spm'] }],
  [
    'a broken vocabulary',
    { 'vocab.json': jsonBytes({ a: -1 }) },
    { area: 'opus/vocab.json', values: ['-1', 'a'] },
  ],
  ['a vocabulary that is cut off', { 'vocab.json': Uint8Array.of(0x7b) }, { area: 'opus/vocab.json' }],
  [
    'more tokens than the model',
    { 'vocab.json': jsonBytes({ ...vocab, x: 5 }) },
    { area: 'opus/vocab.json', values: [5] },
  ],
  [
    'a broken model',
    { 'source.spm': source.slice(0, 99) },
    { area: 'opus/source.spm', values: [97, 99, 1, 8, 0] },
  ],
  ['an empty model', { 'target.spm': new Uint8Array(0) }, { area: 'opus/target.spm' }],
])('rejects %s, by file', (_, change, expected) => {
  const given = Object.fromEntries(
    Object.entries({ ...files, ...change }).filter(([, bytes]) => bytes),
  ) as Record<string, Uint8Array>;
  const read = () => readTokenizerFiles(given, facts, 'opus');
  expect(read).toThrow(errorAbout(expected));
});
