import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadTokenizer } from '../../src/text/load-tokenizer.ts';
import { readTokenizerFile } from '../../src/text/tokenizer-file.ts';
import { quixote } from '../support/text.ts';
import { trainBpe } from '../support/tokenizers.ts';

const fixture = (name: string) => readFileSync(join(import.meta.dirname, '../fixtures', name));
const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

it('reads a tokenizer.json of heddle', () => {
  const trained = trainBpe(quixote, { size: 400 });
  const read = readTokenizerFile(json(trained), 'tokenizer.json');
  expect(read.kind).toBe('bpe');
  expect(read.encode('En un lugar')).toEqual(trained.encode('En un lugar'));
});

it.each(['bpe', 'unigram'])('reads a SentencePiece model (%s), with a padding token if it has none', (name) => {
  const tokenizer = readTokenizerFile(fixture(`sentencepiece/${name}.model`), `${name}.model`);
  const { pad, start, end, unknown } = tokenizer.special;
  expect(new Set([pad, start, end, unknown]).size).toBe(4);
  expect(Math.max(pad, start, end, unknown)).toBeLessThan(tokenizer.size);
  const ids = tokenizer.encode('The tree');
  expect(tokenizer.decode([start, ...ids, end, pad])).toBe('The tree');
  expect(loadTokenizer(JSON.parse(JSON.stringify(tokenizer))).special).toEqual(tokenizer.special);
});

it('reads a tokenizer.json of Hugging Face by the names of its special tokens', () => {
  const vocab = { '<s>': 0, '</s>': 1, '<unk>': 2, a: 3, b: 4, ab: 5 };
  const file = {
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    model: { type: 'BPE', vocab, merges: ['a b'], unk_token: '<unk>' },
  };
  const tokenizer = readTokenizerFile(json(file), 'x.json');
  expect([tokenizer.special, tokenizer.size]).toEqual([{ pad: 6, start: 0, end: 1, unknown: 2 }, 7]);
  expect(tokenizer.encode('ab')).toEqual([5]);
  const { '</s>': _, ...endless } = vocab;
  expect(() => readTokenizerFile(json({ ...file, model: { ...file.model, vocab: endless } }), 'x.json')).toThrow(
    'x.json: there is no end token',
  );
});

it.each([
  ['a CSV file', 'x.csv', 'source,target\nHello,Hola\n', 'invalid at byte 0'],
  ['a configuration', 'config.json', '{"model_type":"bart"}', 'its field model has no vocabulary'],
  ['that of heddle', 'config.json', '{"format":"heddle","model":{"dModel":64}}', 'its field model has no vocabulary'],
  ['JSON that is cut off', 'x.json', '{"model":', 'not JSON in UTF-8'],
  ['an empty file', 'x', '', 'not a valid SentencePiece model: it has no pieces'],
  ['a list', 'vocab.json', '["a"]', 'invalid at byte 0'],
])('rejects %s and says what it reads', (_, name, text, why) => {
  expect(() => readTokenizerFile(new TextEncoder().encode(text), name)).toThrow(
    `${name}: neither a tokenizer.json nor a SentencePiece model (.model, .spm): ${why}`,
  );
});
