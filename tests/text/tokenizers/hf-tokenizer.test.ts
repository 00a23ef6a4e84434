// tokenizer.json files of other tools, compared with Hugging Face's native `tokenizers`.
import { Tokenizer as Native } from 'tokenizers';
import { describe, expect, it } from 'vitest';
import { loadTokenizer } from '../../../src/text/load-tokenizer.ts';
import { createHfTokenizer } from '../../../src/text/tokenizers/hf-tokenizer.ts';
import { type ExpectedError, errorAbout } from '../../support/expect-error.ts';
import { quixote } from '../../support/text.ts';

const bytes = [...'ĠabcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.,;Ã³©±¡Ń'];
const tokens = ['<s>', '<pad>', '</s>', '<unk>', ...bytes, 'Ġt', 'Ġth', 'Ġthe'];
/** As BART's: bytes as letters, merges, a post-processor that frames texts. */
const byteLevel = {
  version: '1.0',
  added_tokens: tokens.slice(0, 4).map((content, id) => ({
    id,
    content,
    special: true,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
  })),
  normalizer: null,
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
  post_processor: {
    type: 'RobertaProcessing',
    sep: ['</s>', 2],
    cls: ['<s>', 0],
    trim_offsets: true,
    add_prefix_space: false,
  },
  decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
  model: {
    type: 'BPE',
    unk_token: '<unk>',
    vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
    merges: [
      ['Ġ', 't'],
      ['Ġt', 'h'],
      ['Ġth', 'e'],
    ],
  },
};
const unigram = {
  ...byteLevel,
  added_tokens: [],
  pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
  post_processor: null,
  decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
  model: {
    type: 'Unigram',
    unk_id: 2,
    vocab: [
      ['<pad>', 0],
      ['</s>', 0],
      ['<unk>', 0],
      ['▁the', -2],
      ...[...'▁abcdefghijklmnopqrstuvwxyz'].map((c) => [c, -5]),
    ],
  },
};
const special = { pad: 1, start: 2, end: 2 };

it.each([
  ['byte-level BPE', byteLevel, special],
  ['Unigram', unigram, { pad: 0, start: 0, end: 1 }],
])('encodes and decodes as the native library, by %s', async (_, json, ids) => {
  const tokenizer = createHfTokenizer(json, { special: ids });
  const native = Native.fromString(JSON.stringify(json));
  for (const line of [...quixote.map((text) => text.replaceAll(/[^\w .,]/g, '')), 'the other the']) {
    const expected = await native.encode(line, undefined, { addSpecialTokens: false });
    expect(tokenizer.encode(line)).toEqual(expected.getIds());
    expect(tokenizer.decode(expected.getIds())).toBe(await native.decode(expected.getIds(), false));
  }
});

describe('the special ids of the model', () => {
  const tokenizer = createHfTokenizer(byteLevel, { special, size: tokens.length + 2 });

  it('are saved in the file, which is otherwise unchanged', () => {
    const text = JSON.stringify(tokenizer);
    const { heddle: _, ...rest } = JSON.parse(text);
    expect(rest).toEqual(byteLevel);
    const back = loadTokenizer(text);
    expect([back.kind, back.size, back.special]).toEqual([
      'huggingface',
      tokens.length + 2,
      { ...special, unknown: 3 },
    ]);
    expect(back.encode('the cat')).toEqual(tokenizer.encode('the cat'));
    expect(JSON.stringify(back)).toBe(text);
  });

  it('are skipped in decoded text, like tokens without text', () => {
    expect(tokenizer.decode([2, ...tokenizer.encode('the cat'), tokens.length + 1, 2, 1])).toBe('the cat');
    expect([tokenizer.token(1), tokenizer.token(tokens.length), tokenizer.decode([1])]).toEqual([
      '<pad>',
      `[unused${tokens.length}]`,
      '',
    ]);
    expect(() => tokenizer.decode([tokens.length + 2])).toThrow(
      errorAbout({ area: 'tokenizer', values: [71, 70] }),
    );
    expect(tokenizer.encode('a</s>b')).not.toContain(2);
  });
});

const nested = (depth: number): unknown =>
  depth === 0 ? null : { type: 'Sequence', normalizers: [nested(depth - 1)] };

it.each<[string, object, ExpectedError]>([
  ['no model', { model: null }, { area: 'tokenizer.json' }],
  [
    'an unknown kind',
    { model: { type: 'Magic', vocab: {} } },
    { area: 'tokenizer.json', values: ['"Magic"'] },
  ],
  ['no vocabulary', { model: { type: 'BPE' } }, { area: 'tokenizer.json', values: ['BPE'] }],
  ['a hidden stack of parts', { normalizer: nested(3000) }, { area: 'tokenizer.json', values: [64] }],
  [
    'ids past all sense',
    { model: { ...byteLevel.model, vocab: { a: 1e15, '<unk>': 0 } } },
    { area: 'tokenizer.json', values: ['a'] },
  ],
  [
    'too few tokens',
    { model: { ...byteLevel.model, vocab: { '<unk>': 0 }, merges: [] }, added_tokens: [] },
    { area: 'tokenizer.json', values: ['pad', 1] },
  ],
])('rejects %s', (_, change, expected) => {
  const make = () => createHfTokenizer({ ...byteLevel, ...change }, { special });
  expect(make).toThrow(errorAbout(expected));
});

it.each<[unknown, ExpectedError]>([
  [
    { special: { pad: 0, start: 1, end: 2 }, size: 9 },
    { area: 'tokenizer.json', values: ['special.unknown', 'undefined'] },
  ],
  [
    { special: { pad: 0, start: 1, end: 2, unknown: 3 }, size: '9' },
    { area: 'tokenizer.json', values: ['size', '"9"'] },
  ],
  [{}, { area: 'tokenizer.json', values: ['special.pad', 'undefined'] }],
])('rejects a broken record of special tokens %#', (heddle, expected) => {
  expect(() => loadTokenizer({ ...byteLevel, heddle })).toThrow(errorAbout(expected));
});
