// Ids of the tokenizer classes of transformers that read a SentencePiece model, as the slow tokenizers number
// them.
import { describe, expect, it } from 'vitest';
import { jsonBytes } from '../../../src/files/json-files.ts';
import type { TokenizerClassName } from '../../../src/formats/tokenizers/tokenizer-classes.ts';
import { readTokenizerFiles } from '../../../src/formats/tokenizers/tokenizer-files.ts';
import { loadTokenizer } from '../../../src/text/load-tokenizer.ts';
import { errorAbout } from '../../support/expect-error.ts';
import { fairseqPieces, sentencePieceFile, t5Pieces } from '../../support/sentencepiece.ts';

interface Folder {
  readonly kind: TokenizerClassName;
  readonly files: Record<string, Uint8Array>;
  readonly size: number;
  readonly special?: { pad: number; start: number; end: number };
}

function read({ kind, files, size, special = { pad: 1, start: 2, end: 2 } }: Folder) {
  const found = readTokenizerFiles(files, { special, srcVocab: size, tgtVocab: size, kind }, 'm');
  if (!found) throw new Error('no tokenizer');
  expect(found.source.size).toBe(size);
  return { tokenizer: found.source, languages: found.languages };
}

const t5 = { pad: 0, start: 0, end: 1 };
const spiece = { 'spiece.model': sentencePieceFile(t5Pieces) };
const fairseq = { 'sentencepiece.bpe.model': sentencePieceFile(fairseqPieces) };
const n = t5Pieces.length;

describe('T5Tokenizer', () => {
  it('puts 100 sentinels after the pieces, the first one last, and pads the vocabulary', () => {
    const { tokenizer } = read({ kind: 'T5Tokenizer', files: spiece, size: 128, special: t5 });
    expect(tokenizer.special).toEqual({ pad: 0, start: 0, end: 1, unknown: 2 });
    expect(tokenizer.token(n + 99)).toBe('<extra_id_0>');
    expect(tokenizer.token(n)).toBe('<extra_id_99>');
    expect(tokenizer.token(n + 100)).toBe(`[unused${n + 100}]`);
    expect(tokenizer.encode('the <extra_id_0> cat <extra_id_12>')).toEqual([7, n + 99, 8, n + 87]);
    expect(tokenizer.decode([0, 7, n + 99, 8, 4, 1])).toBe('the <extra_id_0> cata');
    expect(tokenizer.encode('the cat</s> ☃')).not.toContain(1);
  });

  it('has as many sentinels as tokenizer_config.json says: mT5 has them in its model', () => {
    const files = {
      ...spiece,
      'tokenizer_config.json': jsonBytes({ extra_ids: 0, tokenizer_class: 'T5Tokenizer' }),
    };
    const { tokenizer } = read({ kind: 'T5Tokenizer', files, size: 16, special: t5 });
    expect(tokenizer.token(n)).toBe(`[unused${n}]`);
  });

  it('uses the ids in the files', () => {
    const config = {
      added_tokens_decoder: { 12: { content: '<extra_id_0>' }, 13: { content: '<new>' } },
      extra_ids: 0,
    };
    const files = { ...spiece, 'tokenizer_config.json': jsonBytes(config) };
    const { tokenizer } = read({ kind: 'T5Tokenizer', files, size: 16, special: t5 });
    expect([tokenizer.encode('<extra_id_0>'), tokenizer.token(13)]).toEqual([[12], '<new>']);
  });

  it('puts no space mark after a sentinel if legacy is false, unless the sentinel keeps the space', () => {
    const open = (config: object) => {
      const files = {
        ...spiece,
        'tokenizer_config.json': jsonBytes({ tokenizer_class: 'T5Tokenizer', ...config }),
      };
      return read({ kind: 'T5Tokenizer', files, size: 128, special: t5 }).tokenizer;
    };
    const [old, stripped] = [open({}), open({ legacy: false })];
    const keeps = { content: '<extra_id_0>', rstrip: false, lstrip: false };
    const kept = open({ legacy: false, added_tokens_decoder: { [n + 99]: keeps } });
    const tokens = (tokenizer: typeof old, text: string) =>
      tokenizer.encode(text).map((id) => tokenizer.token(id));
    expect(tokens(old, 'the<extra_id_0>the a')).toEqual(['▁the', '<extra_id_0>', '▁the', '▁', 'a']);
    for (const tokenizer of [stripped, kept, loadTokenizer(JSON.stringify(kept))]) {
      expect(tokens(tokenizer, 'the cat')).toEqual(['▁the', '▁cat']);
      expect(tokens(tokenizer, '<extra_id_0>a')).toEqual(['<extra_id_0>', 'a']);
      expect(tokens(tokenizer, ' <extra_id_0>')).toEqual(['<extra_id_0>']);
    }
    expect(tokens(stripped, 'the <extra_id_0> a')).toEqual(['▁the', '<extra_id_0>', 'a']);
    expect(tokens(kept, 'the <extra_id_0> the')).toEqual(['▁the', '<extra_id_0>', '▁the']);
    expect(tokens(kept, '<extra_id_1> a')).toEqual(['<extra_id_1>', 'a']);
  });

  it('is saved and loaded with its symbols', () => {
    const { tokenizer } = read({ kind: 'T5Tokenizer', files: spiece, size: 128, special: t5 });
    const again = loadTokenizer(JSON.stringify(tokenizer));
    for (const text of ['the cat', 'a <extra_id_3> b'])
      expect(again.encode(text)).toEqual(tokenizer.encode(text));
  });
});

it('ByT5Tokenizer reads bytes from id 3 on, then 125 sentinels', () => {
  const files = { 'tokenizer_config.json': jsonBytes({ tokenizer_class: 'ByT5Tokenizer' }) };
  const { tokenizer } = read({ kind: 'T5Tokenizer', files, size: 384, special: t5 });
  const text = 'Grüße,  ☃!\n';
  expect(tokenizer.encode(text)).toEqual(Array.from(new TextEncoder().encode(text), (byte) => byte + 3));
  expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  expect(tokenizer.encode('a<extra_id_0>b')).toEqual([100, 259, 101]);
  expect(tokenizer.token(383)).toBe('<extra_id_124>');
  expect(tokenizer.special.unknown).toBe(2);
});

it('PegasusTokenizer has masks and unused tokens before the pieces', () => {
  const { tokenizer } = read({ kind: 'PegasusTokenizer', files: spiece, size: n + 103, special: t5 });
  expect(tokenizer.special).toEqual({ pad: 0, start: 0, end: 1, unknown: 105 });
  expect([2, 3, 4, 104].map((id) => tokenizer.token(id))).toEqual([
    '<mask_1>',
    '<mask_2>',
    '<unk_2>',
    '<unk_102>',
  ]);
  expect(tokenizer.encode('the cat <mask_1> ☃')).toEqual([110, 111, 2, 106, 105]);
  expect(tokenizer.decode([110, 111])).toBe('the cat');
});

describe('with fairseq ids', () => {
  it('NllbTokenizer shifts pieces by one and has 202 languages and a mask after them', () => {
    const { tokenizer, languages } = read({ kind: 'M2M100Tokenizer', files: fairseq, size: n + 206 });
    expect(tokenizer.special).toEqual({ pad: 1, start: 2, end: 2, unknown: 3 });
    expect(tokenizer.encode('the cat ☃')).toEqual([8, 9, 4, 3]);
    expect([n + 1, n + 47, n + 203].map((id) => tokenizer.token(id))).toEqual([
      'ace_Arab',
      'eng_Latn',
      '<mask>',
    ]);
    expect([languages?.ids.size, languages?.ids.get('fra_Latn'), languages?.source]).toEqual([
      202,
      n + 57,
      'eng_Latn',
    ]);
    expect(tokenizer.encode('eng_Latn')).not.toContain(n + 47);
    expect(tokenizer.decode([n + 47, 8])).toBe('the');
  });

  it('M2M100Tokenizer has the ids of vocab.json and languages after them', () => {
    const vocab = Object.fromEntries(
      ['<s>', '<pad>', '</s>', '<unk>', 'b', 'a', '▁the'].map((text, id) => [text, id]),
    );
    const files = { ...fairseq, 'vocab.json': jsonBytes(vocab) };
    const { tokenizer, languages } = read({ kind: 'M2M100Tokenizer', files, size: 7 + 108 });
    expect(tokenizer.encode('theab')).toEqual([6, 5, 4]);
    expect([tokenizer.token(7), tokenizer.token(106)]).toEqual(['__af__', '__zu__']);
    expect([languages?.ids.get('en'), languages?.source, languages?.after]).toEqual([25, 'en', false]);
  });

  it.each([
    ['MBart50Tokenizer', 52, 'sl_SI', false],
    ['MBartTokenizer', 25, 'zh_CN', true],
  ] as const)('%s has %i languages', (kind, count, last, after) => {
    const { tokenizer, languages } = read({ kind, files: fairseq, size: n + count + 2 });
    expect([tokenizer.token(n + count), tokenizer.token(n + count + 1)]).toEqual([last, '<mask>']);
    expect([languages?.ids.size, languages?.ids.get('ar_AR'), languages?.after]).toEqual([
      count,
      n + 1,
      after,
    ]);
  });

  it('says which file is missing, and rejects a vocabulary above that of the model', () => {
    const files = { ...fairseq, 'tokenizer_config.json': jsonBytes({ tokenizer_class: 'M2M100Tokenizer' }) };
    expect(() => read({ kind: 'M2M100Tokenizer', files, size: 300 })).toThrow(
      errorAbout({ kind: 'not-found', area: 'm', values: ['vocab.json'] }),
    );
    expect(() => read({ kind: 'M2M100Tokenizer', files: fairseq, size: 6 })).toThrow(
      errorAbout({ area: 'm/sentencepiece.bpe.model', values: [6] }),
    );
  });
});
