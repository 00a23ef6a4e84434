// Loads tokenizer files, also for a new training.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadTokenizer, readTokenizerFile } from '../../src/text/load-tokenizer.ts';
import { type ExpectedError, errorAbout } from '../support/expect-error.ts';
import { itInFull } from '../support/in-full.ts';
import { phrases, quixote } from '../support/text.ts';
import { trainBpe, trainCharacters, trainWords } from '../support/tokenizers.ts';

const texts = [...quixote, ...phrases.slice(0, 500)];
const bpe = trainBpe(quixote, { size: 200 });

it.each(
  [
    trainWords(texts, { size: 300 }),
    trainWords(texts, { size: 300, lowercase: true }),
    trainCharacters(texts),
    trainCharacters(texts, { lowercase: true }),
    trainBpe(texts, { size: 400 }),
    trainBpe(texts, { size: 400, lowercase: true }),
  ].map((tokenizer) => [tokenizer.kind, tokenizer] as const),
)('reads %s as they were written', (_, tokenizer) => {
  const text = JSON.stringify(tokenizer);
  for (const read of [loadTokenizer(text), loadTokenizer(JSON.parse(text))]) {
    expect(read.kind).toBe(tokenizer.kind);
    expect(read.size).toBe(tokenizer.size);
    expect(read.special).toEqual(tokenizer.special);
    expect(JSON.stringify(read)).toBe(text);
    for (const line of texts) expect(read.encode(line)).toEqual(tokenizer.encode(line));
  }
});

/** A written file with some of it changed. */
const changed = (change: object, model: object = {}, of = bpe) => {
  const json = of.toJSON();
  return { ...json, model: { ...(json.model as object), ...model }, ...change };
};

it('reads merges in the older form', () => {
  const merges = (bpe.toJSON().model as { merges: string[][] }).merges.map((pair) => pair.join(' '));
  expect(loadTokenizer(changed({}, { merges })).encode('rocín flaco')).toEqual(bpe.encode('rocín flaco'));
});

it('finds special tokens by name, at any id', () => {
  const vocab = { a: 0, '[UNK]': 1, '[end]': 2, '[start]': 3, '[PAD]': 4 };
  const { special } = loadTokenizer(changed({}, { vocab, merges: [] }));
  expect(special).toEqual({ pad: 4, start: 3, end: 2, unknown: 1 });
});

it.each<[string, unknown, ExpectedError]>([
  ['no JSON', '{"model":', { area: 'tokenizer.json', values: ['Unexpected end of JSON input'] }],
  ['no tokenizer', [], { area: 'tokenizer.json' }],
  ['no model', changed({ model: null }), { area: 'tokenizer.json' }],
  [
    'another model',
    changed({}, { type: 'Unigram' }),
    { area: 'tokenizer.json', values: ['model', 'Unigram'] },
  ],
  [
    'another normalizer',
    changed({ normalizer: { type: 'NFKC' } }),
    { area: 'tokenizer.json', values: ['normalizer', 'NFKC'] },
  ],
  [
    'other parts of one',
    changed({ normalizer: { type: 'Sequence', normalizers: [{ type: 'NFC' }, { type: 'StripAccents' }] } }),
    { area: 'tokenizer.json', values: ['normalizer', 'Sequence(NFC, StripAccents)'] },
  ],
  [
    'another pre-tokenizer',
    changed({ pre_tokenizer: { type: 'ByteLevel' } }),
    { area: 'tokenizer.json', values: ['pre-tokenizer', 'ByteLevel'] },
  ],
  [
    'another decoder',
    changed({ decoder: { type: 'BPEDecoder' } }),
    { area: 'tokenizer.json', values: ['decoder', 'BPEDecoder'] },
  ],
  [
    'a post-processor',
    changed({ post_processor: { type: 'TemplateProcessing' } }),
    { area: 'tokenizer.json', values: ['post-processor', 'TemplateProcessing'] },
  ],
  [
    'byte fallback',
    changed({}, { byte_fallback: true }),
    { area: 'tokenizer.json', values: ['byte_fallback', 'true'] },
  ],
  [
    'a suffix',
    changed({}, { end_of_word_suffix: '</w>' }),
    { area: 'tokenizer.json', values: ['end_of_word_suffix', '"</w>"'] },
  ],
  [
    'another unknown',
    changed({}, { unk_token: '<unk>' }),
    { area: 'tokenizer.json', values: ['unk_token', '"<unk>"'] },
  ],
  ['no vocabulary', changed({}, { vocab: undefined }), { area: 'tokenizer.json' }],
  [
    'a hole in the ids',
    changed({}, { vocab: { a: 0, b: 2 } }),
    { area: 'tokenizer.json', values: ['2', 'b', 1] },
  ],
  [
    'an id twice',
    changed({}, { vocab: { a: 0, b: 0 } }),
    { area: 'tokenizer.json', values: ['a', 'b', '0'] },
  ],
  [
    'no special tokens',
    changed({}, { vocab: { a: 0 }, merges: [] }),
    { area: 'tokenizer', values: ['[PAD]'] },
  ],
  ['no merges', changed({}, { merges: undefined }), { area: 'tokenizer.json' }],
  ['a broken merge', changed({}, { merges: [['a']] }), { area: 'tokenizer.json', values: [0, '["a"]'] }],
  ['a merge of strangers', changed({}, { merges: [['a', '☃']] }), { area: 'tokenizer', values: ['☃'] }],
  [
    'pieces within words',
    changed(
      {},
      { vocab: { '[PAD]': 0, '[start]': 1, '[end]': 2, '[UNK]': 3, '##s': 4 } },
      trainWords(['a'], { size: 9 }),
    ),
    { area: 'tokenizer.json', values: ['##s'] },
  ],
])('rejects %s, by name', (_, json, expected) => {
  expect(() => loadTokenizer(json)).toThrow(errorAbout(expected));
});

itInFull('reads a million merges, and rejects more than the maximum', () => {
  const million = Array.from({ length: 1_000_000 }, () => ['a', 'b'] as const);
  const vocab = { '[PAD]': 0, '[start]': 1, '[end]': 2, '[UNK]': 3, a: 4, b: 5, ab: 6 };
  const read = loadTokenizer(changed({}, { vocab, merges: million }));
  expect(read.decode(read.encode('abab'))).toBe('[UNK]abab');
  const many = [...million, ...million, ...million];
  expect(() => loadTokenizer(changed({}, { vocab, merges: many }))).toThrow(
    errorAbout({ area: 'tokenizer.json', values: [3_000_000] }),
  );
});

const fixture = (name: string) => readFileSync(join(import.meta.dirname, '../fixtures', name));
const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

describe('a tokenizer file for a new training', () => {
  it('reads a tokenizer.json of heddle', () => {
    const trained = trainBpe(quixote, { size: 400 });
    const read = readTokenizerFile(json(trained), 'tokenizer.json');
    expect(read.kind).toBe('bpe');
    expect(read.encode('En un lugar')).toEqual(trained.encode('En un lugar'));
  });

  it.each(['bpe', 'unigram'])(
    'reads a SentencePiece model (%s), with a padding token if it has none',
    (name) => {
      const tokenizer = readTokenizerFile(fixture(`sentencepiece/${name}.model`), `${name}.model`);
      const { pad, start, end, unknown } = tokenizer.special;
      expect(new Set([pad, start, end, unknown]).size).toBe(4);
      expect(Math.max(pad, start, end, unknown)).toBeLessThan(tokenizer.size);
      const ids = tokenizer.encode('The tree');
      expect(tokenizer.decode([start, ...ids, end, pad])).toBe('The tree');
      expect(loadTokenizer(JSON.parse(JSON.stringify(tokenizer))).special).toEqual(tokenizer.special);
    },
  );

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
    expect(() =>
      readTokenizerFile(json({ ...file, model: { ...file.model, vocab: endless } }), 'x.json'),
    ).toThrow(errorAbout({ area: 'x.json', values: ['[end]', '</s>', '[EOS]'] }));
  });

  it.each<[string, string, string, number[]]>([
    ['a CSV file', 'x.csv', 'source,target\nHello,Hola\n', [0, 25]],
    ['a configuration', 'config.json', '{"model_type":"bart"}', []],
    ['that of heddle', 'config.json', '{"format":"heddle","model":{"dModel":64}}', []],
    ['JSON that is cut off', 'x.json', '{"model":', []],
    ['an empty file', 'x', '', []],
    ['a list', 'vocab.json', '["a"]', [0, 5]],
  ])('rejects %s, and names the file', (_, name, text, values) => {
    expect(() => readTokenizerFile(new TextEncoder().encode(text), name)).toThrow(
      errorAbout({ area: name, values }),
    );
  });
});

const vocabulary = '../shared/golden-marian/ssru-int8/vocab.spm';
it.skipIf(!existsSync(vocabulary))(
  'reads a vocabulary of Marian with neither padding nor start token (needs ../shared)',
  () => {
    const bytes = new Uint8Array(readFileSync(vocabulary));
    const tokenizer = readTokenizerFile(bytes, 'vocab.spm', { noStart: true });
    expect(tokenizer.special).toEqual({ pad: -1, start: -1, end: 0, unknown: 1 });
    const again = loadTokenizer(JSON.parse(JSON.stringify(tokenizer)));
    expect([again.special, again.size]).toEqual([tokenizer.special, tokenizer.size]);
    // Models with self-attention start with a token.
    expect(readTokenizerFile(bytes, 'vocab.spm').special.start).toBe(tokenizer.size);
  },
);
