// The tokenizer of an exported model, read by @huggingface/tokenizers as transformers.js does: the ids and texts of heddle, for
// each tokenizer class of transformers.
import { Tokenizer as Library } from '@huggingface/tokenizers';
import { describe, expect, it } from 'vitest';
import { jsonBytes } from '../../../src/files/json-files.ts';
import { withLanguages } from '../../../src/formats/hf/languages.ts';
import { onnxTokenizer } from '../../../src/formats/onnx/onnx-tokenizer.ts';
import type { SavedModel } from '../../../src/formats/shared/saved-model.ts';
import { createIdTokenizer } from '../../../src/text/tokenizers/character-tokenizer.ts';
import { fairseqPieces, loadMultilingual, sentencePieceFile, t5Pieces } from '../../support/sentencepiece.ts';

const n = fairseqPieces.length;
const texts = ['the cat', 'a', 'cab  the', ' the ', 'the ☃ cat', 'abc the'];

/** Compares an exported tokenizer with those of its model: ids of texts, and texts of ids with special tokens around them. */
function compare({ source, target, config }: SavedModel, some: readonly string[] = texts) {
  const { json, sourceIds } = onnxTokenizer(source, target);
  const library = new Library(json, {});
  const sourceId = (id: number) => sourceIds?.[id] ?? id;
  for (const text of some) {
    expect(library.encode(text).ids.map(sourceId), text).toEqual([...source.encode(text), source.special.end]);
    // transformers leaves unknown tokens out of a text; heddle shows them.
    const known = target.encode(text).filter((id) => id !== target.special.unknown);
    const ids = [config.startId, ...known, config.endId, config.padId];
    expect(library.decode(ids, { skip_special_tokens: true }).trim(), text).toBe(target.decode(ids).trim());
  }
  // Each id between others: pieces, languages, and ids without a token. Symbols such as <mask> have spaces around them in heddle only.
  const [around = 0] = target.encode('the').filter((id) => id !== target.special.unknown);
  for (let id = 0; id < target.size; id++) {
    if (id === target.special.unknown) continue;
    const ids = [config.startId, around, id, around, config.endId];
    const [theirs, ours] = [library.decode(ids, { skip_special_tokens: true }), target.decode(ids)];
    const isSymbol = /^<(mask|extra_id)/.test(target.token(id));
    const plain = (text: string) => (isSymbol ? text.replaceAll(' ', '') : text).trim();
    expect(plain(theirs), target.token(id)).toBe(plain(ours));
  }
  return library;
}

describe('language tokens', () => {
  const nllb = { vocab_size: n + 206, decoder_start_token_id: 2 };

  it('of NLLB: before the source; that of the target is not in the text', async () => {
    const model = withLanguages(await loadMultilingual('m2m_100', nllb), {
      sourceLang: 'deu_Latn',
      targetLang: 'fra_Latn',
    });
    expect(compare(model).encode('the').ids).toEqual([n + 42, 8, 2]);
  });

  it('of NLLB with legacy_behaviour: after the end of the source', async () => {
    const files = { 'tokenizer_config.json': jsonBytes({ legacy_behaviour: true }) };
    const model = withLanguages(await loadMultilingual('m2m_100', nllb, files), { targetLang: 'fra_Latn' });
    expect(compare(model).encode('the').ids).toEqual([8, 2, n + 47]);
  });

  it('of M2M100, mBART-50 and mBART', async () => {
    const vocab = Object.fromEntries(['<s>', '<pad>', '</s>', '<unk>', '▁the'].map((text, id) => [text, id]));
    const files = { 'vocab.json': jsonBytes(vocab) };
    const m2m100 = await loadMultilingual('m2m_100', { vocab_size: 113 }, files);
    compare(withLanguages(m2m100, { targetLang: 'fr' }), ['the', 'the the']);
    const mbart50 = await loadMultilingual('mbart', { vocab_size: n + 54, decoder_start_token_id: 2 });
    compare(withLanguages(mbart50, { sourceLang: 'de_DE', targetLang: 'fr_XX' }));
    const mbart = await loadMultilingual('mbart', { vocab_size: n + 27, decoder_start_token_id: n + 20 });
    compare(withLanguages(mbart, { sourceLang: 'de_DE', targetLang: 'ro_RO' }));
  });

  it('of a tokenizer.json: those that are chosen, not those of its post-processor', async () => {
    const pieces = ['<s>', '<pad>', '</s>', '<unk>', '▁the', '▁cat'];
    const special = { special: true, single_word: false, lstrip: false, rstrip: false, normalized: false };
    const spaces = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true };
    const json = {
      model: { type: 'Unigram', unk_id: 3, vocab: pieces.map((text) => [text, -1]) },
      added_tokens: ['eng_Latn', 'fra_Latn'].map((content, i) => ({ content, id: 6 + i, ...special })),
      normalizer: null,
      pre_tokenizer: spaces,
      decoder: spaces,
      post_processor: {
        type: 'TemplateProcessing',
        single: [
          { SpecialToken: { id: 'eng_Latn', type_id: 0 } },
          { Sequence: { id: 'A', type_id: 0 } },
          { SpecialToken: { id: '</s>', type_id: 0 } },
        ],
        special_tokens: { eng_Latn: { ids: [6] }, '</s>': { ids: [2] } },
      },
    };
    const model = await loadMultilingual('m2m_100', { vocab_size: 8 }, { 'tokenizer.json': jsonBytes(json) });
    const french = withLanguages(model, { sourceLang: 'fra_Latn', targetLang: 'eng_Latn' });
    expect(compare(french, ['the cat']).encode('cat').ids).toEqual([7, 5, 2]);
  });

  it('of a multilingual MarianMT model, at the start of a text', async () => {
    const spm = sentencePieceFile(['<unk>', '<s>', '</s>', '▁', 'a', 'b', 'c', '▁the', '▁cat']);
    const tokens = ['</s>', '<unk>', '>>fra<<', '▁', 'a', 'b', 'c', '▁the', '▁cat', '<pad>'];
    const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
    const files = { 'source.spm': spm, 'target.spm': spm, 'vocab.json': jsonBytes(vocab) };
    const ids = { vocab_size: 10, pad_token_id: 9, decoder_start_token_id: 9, eos_token_id: 0 };
    const model = await loadMultilingual('marian', ids, files);
    const library = compare(model, [...texts, '>>fra<< the cat', '>>fra<<a']);
    expect(library.encode('>>fra<< the').ids).toEqual([2, 7, 0]);
  });
});

describe('tokens that a text may spell out', () => {
  const spiece = { 'spiece.model': sentencePieceFile(t5Pieces) };
  const spelled = ['the <extra_id_0> cat', '<extra_id_0>', 'the<extra_id_0>the a', '<extra_id_0> a'];
  const ids = (model: SavedModel, library: Library) => {
    for (const text of spelled)
      expect(library.encode(text).ids, text).toEqual([...model.source.encode(text), model.source.special.end]);
  };

  it('are the sentinels of T5, with and without legacy', async () => {
    for (const config of [{}, { legacy: false }]) {
      const files = { ...spiece, 'tokenizer_config.json': jsonBytes({ tokenizer_class: 'T5Tokenizer', ...config }) };
      const special = { pad_token_id: 0, eos_token_id: 1, decoder_start_token_id: 0 };
      const model = await loadMultilingual('t5', { vocab_size: 128, ...special }, files);
      // Without legacy a space before the text is a token of T5's own tokenizer; transformers.js has no such rule.
      ids(model, compare(model, 'legacy' in config ? texts.filter((text) => !text.startsWith(' ')) : texts));
    }
  });

  it('are the masks of Pegasus', async () => {
    const config = { vocab_size: t5Pieces.length + 103, pad_token_id: 0, eos_token_id: 1, decoder_start_token_id: 0 };
    const model = await loadMultilingual('pegasus', config, spiece);
    const text = 'the cat <mask_1> a';
    expect(compare(model).encode(text).ids).toEqual([...model.source.encode(text), 1]);
  });
});

it('reads numbers as ids if a model has no tokenizer', () => {
  const ids = createIdTokenizer(60, { pad: 59, start: 59, end: 0, unknown: 3 });
  expect(new Library(onnxTokenizer(ids, ids).json, {}).encode('10 43 30').ids).toEqual([10, 43, 30, 0]);
});
