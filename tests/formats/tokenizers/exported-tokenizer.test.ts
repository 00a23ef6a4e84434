// The tokenizer of an exported model, read by @huggingface/tokenizers as transformers.js does: the ids and
// texts of heddle, for each tokenizer class of transformers, SentencePiece model and tokenizer of heddle,
// also of texts in which tokenizers differ.
import { readFileSync } from 'node:fs';
import { Tokenizer as Library } from '@huggingface/tokenizers';
import { describe, expect, it } from 'vitest';
import { convertFolder } from '../../../src/api/convert-folder.ts';
import { cpuEngine } from '../../../src/engine/cpu-engine.ts';
import { jsonBytes } from '../../../src/files/json-files.ts';
import { memoryFiles } from '../../../src/files/memory-files.ts';
import { withLanguages } from '../../../src/formats/hf/languages.ts';
import type { SavedModel } from '../../../src/formats/shared/saved-model.ts';
import { bytesAsLetters } from '../../../src/formats/tokenizers/byte-level-bpe.ts';
import { exportTokenizer } from '../../../src/formats/tokenizers/exported-tokenizer.ts';
import { readSentencePiece } from '../../../src/text/sentencepiece/sentencepiece-model.ts';
import { SentencePieceTokenizer } from '../../../src/text/sentencepiece/sentencepiece-tokenizer.ts';
import { createIdTokenizer } from '../../../src/text/tokenizers/character-tokenizer.ts';
import { everyCase } from '../../support/gpu.ts';
import { hostileTexts } from '../../support/hostile-texts.ts';
import { compareTokenizers } from '../../support/onnx-tokenizers.ts';
import {
  fairseqPieces,
  hfSizes,
  loadMultilingual,
  sentencePieceFile,
  t5Pieces,
  withFlags,
} from '../../support/sentencepiece.ts';
import { EngineSession } from '../../support/session.ts';
import { phrases } from '../../support/text.ts';
import { trainBpe, trainCharacters, trainWords } from '../../support/tokenizers.ts';

const n = fairseqPieces.length;
const texts = ['the cat', 'a', 'cab  the', ' the ', 'the ☃ cat', 'abc the'];

/**
 * Compares an exported tokenizer with those of its model: ids of texts, and texts of ids with special tokens
 * around them.
 */
function compare({ source, target, config }: SavedModel, list: readonly string[] = texts) {
  const { json, sourceIds } = exportTokenizer(source, target);
  const library = new Library(json, {});
  const sourceId = (id: number) => sourceIds?.[id] ?? id;
  for (const text of list) {
    expect(library.encode(text).ids.map(sourceId), text).toEqual([
      ...source.encode(text),
      source.special.end,
    ]);
    // transformers leaves unknown tokens out of a text; heddle shows them.
    const known = target.encode(text).filter((id) => id !== target.special.unknown);
    const ids = [config.startId, ...known, config.endId, config.padId];
    expect(library.decode(ids, { skip_special_tokens: true }).trim(), text).toBe(target.decode(ids).trim());
  }
  // Each id between others: pieces, languages, and ids without a token. Symbols such as <mask> have spaces
  // around them in heddle only.
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
      expect(library.encode(text).ids, text).toEqual([
        ...model.source.encode(text),
        model.source.special.end,
      ]);
  };

  it('are the sentinels of T5, with and without legacy', async () => {
    for (const config of [{}, { legacy: false }]) {
      const files = {
        ...spiece,
        'tokenizer_config.json': jsonBytes({ tokenizer_class: 'T5Tokenizer', ...config }),
      };
      const special = { pad_token_id: 0, eos_token_id: 1, decoder_start_token_id: 0 };
      const model = await loadMultilingual('t5', { vocab_size: 128, ...special }, files);
      ids(model, compare(model));
    }
  });

  it('are the masks of Pegasus', async () => {
    const config = {
      vocab_size: t5Pieces.length + 103,
      pad_token_id: 0,
      eos_token_id: 1,
      decoder_start_token_id: 0,
    };
    const model = await loadMultilingual('pegasus', config, spiece);
    const text = 'the cat <mask_1> a';
    expect(compare(model).encode(text).ids).toEqual([...model.source.encode(text), 1]);
  });
});

it('reads numbers as ids if a model has no tokenizer', () => {
  const ids = createIdTokenizer(60, { pad: 59, start: 59, end: 0, unknown: 3 });
  expect(new Library(exportTokenizer(ids, ids).json, {}).encode('10 43 30').ids).toEqual([10, 43, 30, 0]);
});

describe('texts in which tokenizers differ', () => {
  const model = (name: string) => new Uint8Array(readFileSync(`tests/fixtures/sentencepiece/${name}.model`));
  /** A Unigram model with a few rules instead of nmt_nfkc's 224,725. */
  const fewRules = withFlags(model('unigram'), {
    charsmap: readSentencePiece(model('bpe'), 'bpe.model').normalizer.charsmap,
  });
  const numbered = (tokens: Iterable<string>) =>
    jsonBytes(Object.fromEntries([...new Set(tokens)].map((token, id) => [token, id])));
  /** Pieces of a model, without some: those are missing in vocab.json. */
  const mostPieces = (name: string) =>
    readSentencePiece(model(name), name)
      .pieces.filter(({ type }, i) => type !== 'unknown' && type !== 'control' && i % 17 !== 5)
      .map(({ text }) => text);
  /** Tokens that the models have no pieces for. */
  const others = ['ñ', '中', '中文', '日本', '語', 'ن', '½', '★☆', '>>fra<<', '>>spa<<', 'zzz', 'é中', 'ß'];
  const joint = [
    ...new Set([
      '</s>',
      '<unk>',
      ...others,
      ...mostPieces('unigram'),
      ...mostPieces('unigram-bytes'),
      '<pad>',
    ]),
  ];
  const pad = joint.length - 1;
  const marian = {
    vocab_size: joint.length,
    pad_token_id: pad,
    decoder_start_token_id: pad,
    eos_token_id: 0,
  };
  const t5 = { vocab_size: 1200, pad_token_id: 0, eos_token_id: 1, decoder_start_token_id: 0 };
  const mbart = { vocab_size: 1200, decoder_start_token_id: 2 };
  const bytes = Array.from({ length: 256 }, (_, byte) => bytesAsLetters([byte]));
  const t5Config = (more: object) => jsonBytes({ tokenizer_class: 'T5Tokenizer', ...more });
  const mask = { 699: { content: '<extra_id_0>', rstrip: false } };
  const classes: Record<string, () => Promise<SavedModel>> = {
    'MarianMT with two models': () => {
      const files = { 'source.spm': model('unigram'), 'target.spm': model('unigram-bytes') };
      return loadMultilingual('marian', marian, { ...files, 'vocab.json': numbered(joint) });
    },
    'MarianMT with bytes': () => {
      const files = { 'source.spm': model('unigram-bytes'), 'target.spm': fewRules };
      const vocab = numbered(joint.map((token) => token.replace('>>', '->')));
      return loadMultilingual('marian', marian, { ...files, 'vocab.json': vocab });
    },
    T5: () => loadMultilingual('t5', t5, { 'spiece.model': fewRules }),
    'T5 without legacy': () =>
      loadMultilingual('t5', t5, {
        'spiece.model': model('unigram'),
        'tokenizer_config.json': t5Config({ legacy: false }),
      }),
    'T5 with spaces after sentinels': () =>
      loadMultilingual('t5', t5, {
        'spiece.model': model('unigram'),
        'tokenizer_config.json': t5Config({ legacy: false, added_tokens_decoder: mask }),
      }),
    mT5: () => loadMultilingual('mt5', t5, { 'spiece.model': model('unigram-bytes') }),
    ByT5: () =>
      loadMultilingual('t5', t5, {
        'tokenizer_config.json': jsonBytes({ tokenizer_class: 'ByT5Tokenizer' }),
      }),
    mBART: async () =>
      withLanguages(await loadMultilingual('mbart', mbart, { 'sentencepiece.bpe.model': fewRules }), {
        sourceLang: 'de_DE',
        targetLang: 'fr_XX',
      }),
    NLLB: async () =>
      withLanguages(await loadMultilingual('m2m_100', mbart, { 'sentencepiece.bpe.model': model('bpe') }), {
        sourceLang: 'deu_Latn',
        targetLang: 'fra_Latn',
      }),
    ...Object.fromEntries(
      ['bpe', 'bpe-bytes'].map((name) => [
        `M2M100 with ${name}`,
        async () => {
          const vocab = numbered(['<s>', '<pad>', '</s>', '<unk>', ...others, ...mostPieces(name)]);
          const files = { 'sentencepiece.bpe.model': model(name), 'vocab.json': vocab };
          const saved = await loadMultilingual('m2m_100', mbart, files);
          return withLanguages(saved, { sourceLang: 'de', targetLang: 'fr' });
        },
      ]),
    ),
    BART: () =>
      loadMultilingual(
        'bart',
        { vocab_size: 280 },
        {
          'vocab.json': numbered(['<s>', '<pad>', '</s>', '<unk>', ...bytes, 'th', 'the', 'Ġthe', '<mask>']),
          'merges.txt': new TextEncoder().encode('#version: 0.2\nt h\nth e\nĠ the\n'),
        },
      ),
  };
  /** Number of texts; a few thousand in test:full. */
  const count = everyCase ? 3000 : 40;
  const hostile = hostileTexts(count, 1, [...others, '>>fra<< the', '>>spa<<']);

  it.each(Object.entries(classes))('%s', async (_, load) => {
    const { source, target, config } = await load();
    expect(compareTokenizers(source, target, config, hostile)).toEqual([]);
  });

  it.each(
    process.env.HEDDLE_FULL
      ? ['unigram', 'unigram-symbols', 'unigram-bytes', 'bpe', 'bpe-bytes']
      : ['unigram', 'bpe-bytes'],
  )('SentencePiece model %s, with each flag', (name) => {
    const flags = [
      {},
      { suffix: true },
      { suffix: false },
      { collapse: false },
      { collapse: true, prefix: false },
      { suffix: true, collapse: false },
      { suffix: true, collapse: true, prefix: true },
    ];
    for (const combination of everyCase ? flags : flags.slice(0, name === 'unigram' ? 1 : 5)) {
      const file = withFlags(model(name), combination);
      const tokenizer = new SentencePieceTokenizer({ file, name, special: { pad: 0, start: 0 } });
      const { start, end, pad: padId } = tokenizer.special;
      const ids = { startId: start, endId: end, padId };
      expect(compareTokenizers(tokenizer, tokenizer, ids, hostile), JSON.stringify(combination)).toEqual([]);
    }
  });

  it('tokenizers of heddle', () => {
    const side = (from: number) => phrases.slice(from, from + (everyCase ? 300 : 100));
    const pairs = [
      [trainWords(side(0), { size: 200 }), trainWords(side(300), { size: 150 })],
      [trainCharacters(side(0)), trainCharacters(side(300))],
      [trainBpe(side(0), { size: 400 }), trainBpe(side(300), { size: 300 })],
    ] as const;
    for (const [source, target] of pairs) {
      const { start, end, pad: padId } = target.special;
      expect(compareTokenizers(source, target, { startId: start, endId: end, padId }, hostile)).toEqual([]);
    }
  });

  it('are named in a warning of convert, where tokenizer.json cannot have them', async () => {
    const files = memoryFiles();
    const tokens = ['</s>', '<unk>', ...others, ...mostPieces('unigram-symbols'), '<pad>'];
    const last = new Set(tokens).size - 1;
    const special = { pad_token_id: last, decoder_start_token_id: last, eos_token_id: 0 };
    const config = { model_type: 'marian', ...hfSizes('marian'), vocab_size: last + 1, ...special };
    await files.write('m/config.json', jsonBytes(config));
    await files.write('m/vocab.json', numbered(tokens));
    for (const side of ['source', 'target']) await files.write(`m/${side}.spm`, model('unigram-symbols'));
    const warningsOf = async (folder: string) => {
      const session = new EngineSession(files, async () => cpuEngine());
      await convertFolder({ folder, out: 'out', to: 'onnx', force: true }, session);
      return session.events.flatMap((event) => (event.type === 'warning' ? [event.text] : []));
    };
    expect(await warningsOf('m')).toEqual([
      'transformers.js treats some texts differently from heddle: characters that occur in longer pieces only are not looked up in vocab.json',
    ]);
    for (const side of ['source', 'target']) await files.write(`m/${side}.spm`, model('unigram-bytes'));
    expect(await warningsOf('m')).toEqual([
      expect.stringMatching(/: a target language such as >>fra<< is part of the text$/),
    ]);
    for (const side of ['source', 'target']) await files.write(`m/${side}.spm`, fewRules);
    expect(await warningsOf('m')).toEqual([]);
  });
});
