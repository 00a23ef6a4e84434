import { expect, it } from 'vitest';
import { HeddleError } from '../../src/core/errors.ts';
import { loadTokenizer } from '../../src/text/load-tokenizer.ts';
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
)('reads back %s as they were written', (_, tokenizer) => {
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

it.each<[string, unknown, string]>([
  ['no JSON', '{"model":', 'tokenizer.json: not JSON ('],
  ['no tokenizer', [], 'the field model is missing'],
  ['no model', changed({ model: null }), 'the field model is missing'],
  ['another model', changed({}, { type: 'Unigram' }), 'the model Unigram is not supported'],
  ['another normalizer', changed({ normalizer: { type: 'NFKC' } }), 'the normalizer NFKC is not supported'],
  [
    'other parts of one',
    changed({ normalizer: { type: 'Sequence', normalizers: [{ type: 'NFC' }, { type: 'StripAccents' }] } }),
    'the normalizer Sequence(NFC, StripAccents) is not supported',
  ],
  [
    'another pre-tokenizer',
    changed({ pre_tokenizer: { type: 'ByteLevel' } }),
    'the pre-tokenizer ByteLevel is not supported',
  ],
  ['another decoder', changed({ decoder: { type: 'BPEDecoder' } }), 'the decoder BPEDecoder is not supported'],
  [
    'a post-processor',
    changed({ post_processor: { type: 'TemplateProcessing' } }),
    'post-processor TemplateProcessing',
  ],
  ['byte fallback', changed({}, { byte_fallback: true }), 'byte_fallback true is not supported'],
  ['a suffix', changed({}, { end_of_word_suffix: '</w>' }), 'end_of_word_suffix "</w>" is not supported'],
  ['another unknown', changed({}, { unk_token: '<unk>' }), 'unk_token "<unk>" is not supported'],
  ['no vocabulary', changed({}, { vocab: undefined }), 'the model has no vocab'],
  ['a hole in the ids', changed({}, { vocab: { a: 0, b: 2 } }), "the id 2 of 'b' is not from 0 to 1"],
  ['an id twice', changed({}, { vocab: { a: 0, b: 0 } }), "'a' and 'b' have the same id 0"],
  ['no special tokens', changed({}, { vocab: { a: 0 }, merges: [] }), "lacks '[PAD]'"],
  ['no merges', changed({}, { merges: undefined }), 'the BPE model has no merges'],
  ['a broken merge', changed({}, { merges: [['a']] }), 'merge 0 is ["a"], it must be two tokens'],
  ['a merge of strangers', changed({}, { merges: [['a', '☃']] }), "lacks '☃'"],
  [
    'pieces within words',
    changed(
      {},
      { vocab: { '[PAD]': 0, '[start]': 1, '[end]': 2, '[UNK]': 3, '##s': 4 } },
      trainWords(['a'], { size: 9 }),
    ),
    "WordPiece with continuation tokens ('##s') is not supported",
  ],
])('rejects %s, by name', (_, json, message) => {
  expect(() => loadTokenizer(json)).toThrow(message);
  expect(() => loadTokenizer(json)).toThrow(HeddleError);
});

it('reads a million merges, and rejects more than the maximum', () => {
  const million = Array.from({ length: 1_000_000 }, () => ['a', 'b'] as const);
  const vocab = { '[PAD]': 0, '[start]': 1, '[end]': 2, '[UNK]': 3, a: 4, b: 5, ab: 6 };
  const read = loadTokenizer(changed({}, { vocab, merges: million }));
  expect(read.decode(read.encode('abab'))).toBe('[UNK]abab');
  const many = [...million, ...million, ...million];
  expect(() => loadTokenizer(changed({}, { vocab, merges: many }))).toThrow('3000000 merges, the maximum is 2097152');
}, 60_000);
