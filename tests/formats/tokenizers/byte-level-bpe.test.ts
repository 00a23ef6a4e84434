// Byte-level BPE from vocab.json and merges.txt, compared with Hugging Face's native library.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AddedToken,
  BPE,
  byteLevelPreTokenizer,
  type Decoder,
  Tokenizer as Native,
  robertaProcessing,
} from 'tokenizers';
import { afterAll, describe, expect, it } from 'vitest';
import { jsonBytes } from '../../../src/files/json-files.ts';
import { loadModelFolder } from '../../../src/formats/model-folder.ts';
import { readTokenizerFiles } from '../../../src/formats/tokenizers/tokenizer-files.ts';
import { type ExpectedError, errorAbout } from '../../support/expect-error.ts';
import { hfFolder } from '../../support/hf.ts';
import { nativeMerges, quixote } from '../../support/text.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-byte-pairs-'));
afterAll(() => rmSync(folder, { recursive: true }));
const bytes = (text: string) => new TextEncoder().encode(text);

/**
 * The letters that stand for bytes (Radford et al., 2019): printable ones for themselves, the others from 256
 * on.
 */
const letters = Array.from({ length: 256 }, (_, byte) => byte)
  .filter((byte) => !(byte >= 33 && byte <= 126) && !(byte >= 161 && byte <= 172) && byte < 174)
  .map((_, i) => String.fromCharCode(256 + i));
const printable = [
  ...Array.from({ length: 94 }, (_, i) => 33 + i),
  ...Array.from({ length: 12 }, (_, i) => 161 + i),
  ...Array.from({ length: 82 }, (_, i) => 174 + i),
].map((code) => String.fromCharCode(code));
const learnt = nativeMerges(quixote, {
  toJSON: () => ({
    version: '1.0',
    added_tokens: [],
    normalizer: null,
    post_processor: null,
    decoder: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
  }),
} as never).slice(0, 600);
const tokens = [
  '<s>',
  '<pad>',
  '</s>',
  '<unk>',
  ...printable,
  ...letters,
  ...new Set(learnt.map((pair) => pair.join(''))),
];
const vocab = Object.fromEntries([...tokens, '<mask>'].map((token, id) => [token, id]));
const merges = learnt.map((pair) => pair.join(' ')).join('\n');
const files = { 'vocab.json': jsonBytes(vocab), 'merges.txt': bytes(`#version: 0.2\n${merges}\n`) };
const size = tokens.length + 1;
const facts = { special: { pad: 1, start: 2, end: 2 }, srcVocab: size, tgtVocab: size };

/** The native library's decoder, which can only be loaded from a file. */
const decoder = Native.fromString(
  JSON.stringify({
    version: '1.0',
    added_tokens: [],
    normalizer: null,
    post_processor: null,
    pre_tokenizer: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: { type: 'BPE', vocab: {}, merges: [] },
  }),
).getDecoder() as Decoder;

/** The native library's tokenizer of the same files, put together as transformers does. */
async function native(spaces: boolean): Promise<Native> {
  for (const [name, file] of Object.entries(files)) writeFileSync(join(folder, name), file);
  const tokenizer = new Native(
    await BPE.fromFile(join(folder, 'vocab.json'), join(folder, 'merges.txt'), { unkToken: '<unk>' }),
  );
  tokenizer.setPreTokenizer(byteLevelPreTokenizer(spaces, true));
  tokenizer.setDecoder(decoder);
  tokenizer.setPostProcessor(robertaProcessing(['</s>', 2], ['<s>', 0], true, spaces));
  tokenizer.addAddedTokens([new AddedToken('<mask>', true, { leftStrip: true, normalized: false })]);
  return tokenizer;
}

const odd = [
  " It's  two   spaces, they'll'VE 1,234.5 ",
  'Zoë’s naïve façade — 東京タワー, Привет! 👩‍👩‍👧‍👦🏳️‍🌈',
  'tabs\tand\nlines\r\n\u00a0\u2003\u200b\ufeff\u0000\u0007',
  'e\u0301 é ﬁ ½ ² ﷺ ẞ ı İ',
  'a <mask> b',
  '!!!???...',
];

it.each([false, true])(
  'encodes and decodes as the native library, a space put before: %s',
  async (spaces) => {
    const config = {
      'tokenizer_config.json': jsonBytes({ add_prefix_space: spaces, tokenizer_class: 'BartTokenizer' }),
    };
    const found = readTokenizerFiles({ ...files, ...config }, facts, 'm');
    const other = await native(spaces);
    expect(learnt).toHaveLength(600);
    for (const text of [...quixote, ...odd]) {
      const expected = (await other.encode(text, undefined, { addSpecialTokens: false })).getIds();
      expect(found?.source.encode(text), text).toEqual(expected);
      expect(found?.source.decode(expected), text).toBe(await other.decode(expected, false));
    }
  },
);

it('becomes the tokenizer of a BART folder without tokenizer.json', async () => {
  const all = await hfFolder('bart');
  const few = ['<s>', '<pad>', '</s>', '<unk>', ...'abcdefghijklm', 'Ġ', 'ab', 'Ġc'];
  await all.write('bart/vocab.json', jsonBytes(Object.fromEntries(few.map((token, id) => [token, id]))));
  await all.write('bart/merges.txt', bytes('a b\r\nĠ c\r\n'));
  const { source, target } = await loadModelFolder(all, 'bart');
  // Texts begin with <s>, as in RobertaProcessing; tokens that are not in the vocabulary are unknown.
  expect(source.encode('ab cz')).toEqual([0, 18, 19, 3]);
  expect(target.decode([0, 18, 19, 2])).toBe('ab c');
});

it('reads special tokens from the other files', () => {
  const named = { '[CLS]': 0, '[PAD]': 1, '[SEP]': 2, '[UNK]': 3, a: 4, b: 5, c: 6 };
  const roles = { cls_token: '[CLS]', sep_token: { content: '[SEP]', lstrip: false }, pad_token: '[PAD]' };
  const found = readTokenizerFiles(
    {
      'vocab.json': jsonBytes(named),
      'merges.txt': bytes(''),
      'special_tokens_map.json': jsonBytes(roles),
      'tokenizer_config.json': jsonBytes({ unk_token: '[UNK]', cls_token: '[NO]' }),
      'added_tokens.json': jsonBytes({ '<extra>': 7 }),
    },
    { ...facts, srcVocab: 8, tgtVocab: 8 },
    'm',
  );
  expect(found?.json).toMatchObject({ post_processor: { cls: ['[CLS]', 0], sep: ['[SEP]', 2] } });
  expect(found?.source.encode('a<extra>c[UNK]é')).toEqual([4, 7, 6, 3, 3, 3]);
});

describe('is an error that names the file:', () => {
  it.each<[string, Record<string, Uint8Array>, ExpectedError]>([
    ['a merge of three', { 'merges.txt': bytes('a b\na b c') }, { area: 'm/merges.txt', values: [2] }],
    [
      'a merge of what is not there',
      { 'merges.txt': bytes('a 東') },
      { area: 'm/merges.txt', values: [1, '東', 'vocab.json'] },
    ],
    [
      'an id that is none',
      { 'vocab.json': jsonBytes({ ...vocab, x: -1 }) },
      { area: 'm/vocab.json', values: ['-1', 'x'] },
    ],
    [
      'more tokens than the model',
      { 'added_tokens.json': jsonBytes({ x: size }) },
      { area: 'm/vocab.json', values: [861] },
    ],
    [
      'another kind',
      { 'tokenizer_config.json': jsonBytes({ tokenizer_class: 'CLIPTokenizer' }) },
      { area: 'm/tokenizer_config.json', values: ['"CLIPTokenizer"'] },
    ],
    ['a vocabulary that is cut off', { 'vocab.json': bytes('{"a"') }, { area: 'm/vocab.json' }],
  ])('%s', (_, change, expected) => {
    const read = () => readTokenizerFiles({ ...files, ...change }, facts, 'm');
    expect(read).toThrow(errorAbout(expected));
  });
});
