// Source and target language: tokens around texts, the first token of a translation, and what a checkpoint
// keeps of them.
import { describe, expect, it } from 'vitest';
import { jsonBytes } from '../../../src/files/json-files.ts';
import { memoryFiles } from '../../../src/files/memory-files.ts';
import { withLanguages } from '../../../src/formats/hf/languages.ts';
import { hfFiles } from '../../../src/formats/hf/save-hf.ts';
import { loadModelFolder } from '../../../src/formats/model-folder.ts';
import { saveModelFolder } from '../../../src/formats/save-heddle.ts';
import { retrainedCheckpoint } from '../../../src/formats/shared/saved-model.ts';
import { errorAbout } from '../../support/expect-error.ts';
import { fairseqPieces, loadMultilingual } from '../../support/sentencepiece.ts';

const n = fairseqPieces.length;
const load = loadMultilingual;
const nllb = { vocab_size: n + 206, decoder_start_token_id: 2 };
const framed = (model: Awaited<ReturnType<typeof load>>) => {
  const { source, target } = model;
  return [
    [...source.encode('the cat'), source.special.end],
    [...target.encode('the cat'), target.special.end],
  ];
};
const [the, cat] = [8, 9];

describe('the positions of language tokens', () => {
  it('NLLB: before both sides; a translation starts with the target language', async () => {
    const model = withLanguages(await load('m2m_100', nllb), {
      sourceLang: 'deu_Latn',
      targetLang: 'fra_Latn',
    });
    expect(framed(model)).toEqual([
      [n + 42, the, cat, 2],
      [n + 57, the, cat, 2],
    ]);
    expect(model.decode?.forcedBosTokenId).toBe(n + 57);
    expect([model.config.startId, model.target.decode([n + 57, the])]).toEqual([2, 'the']);
  });

  it('NLLB with legacy_behaviour: after the source', async () => {
    const files = { 'tokenizer_config.json': jsonBytes({ legacy_behaviour: true }) };
    const model = withLanguages(await load('m2m_100', nllb, files), { targetLang: 'fra_Latn' });
    expect(framed(model)).toEqual([
      [the, cat, 2, n + 47],
      [n + 57, the, cat, 2],
    ]);
  });

  it('M2M100: before both sides, as __en__', async () => {
    const vocab = Object.fromEntries(['<s>', '<pad>', '</s>', '<unk>', '▁the'].map((text, id) => [text, id]));
    const files = { 'vocab.json': jsonBytes(vocab) };
    const model = withLanguages(await load('m2m_100', { vocab_size: 113 }, files), { targetLang: 'fr' });
    expect(model.source.encode('the')).toEqual([5 + 18, 4]);
    expect(model.decode?.forcedBosTokenId).toBe(5 + 24);
  });

  it('mBART-50: before both sides', async () => {
    const config = { vocab_size: n + 54, decoder_start_token_id: 2 };
    const model = withLanguages(await load('mbart', config), { sourceLang: 'de_DE', targetLang: 'fr_XX' });
    expect(framed(model)).toEqual([
      [n + 3, the, cat, 2],
      [n + 8, the, cat, 2],
    ]);
    expect(model.decode?.forcedBosTokenId).toBe(n + 8);
  });

  it('mBART: after the source; the target language is the start token', async () => {
    const config = { vocab_size: n + 27, decoder_start_token_id: n + 20 };
    const model = withLanguages(await load('mbart', config), { sourceLang: 'de_DE', targetLang: 'ro_RO' });
    expect(framed(model)).toEqual([
      [the, cat, 2, n + 3],
      [the, cat, 2],
    ]);
    expect([model.config.startId, model.decode?.forcedBosTokenId]).toEqual([n + 20, undefined]);
    const french = withLanguages(model, { targetLang: 'fr_XX' });
    expect([french.config.startId, french.target.special.start]).toEqual([n + 8, n + 8]);
    // The start token says what the target language is if none is given.
    const plain = await load('mbart', config);
    expect([plain.languages?.target, plain.target.special.start]).toEqual(['ro_RO', n + 20]);
  });

  it('of a tokenizer.json: its added tokens, without what its post-processor adds', async () => {
    const vocab: [string, number][] = ['<s>', '<pad>', '</s>', '<unk>', '▁the', '▁cat'].map((text) => [
      text,
      -1,
    ]);
    const added = ['eng_Latn', 'fra_Latn'].map((content, i) => ({ content, id: 6 + i, special: true }));
    const json = {
      model: { type: 'Unigram', unk_id: 3, vocab },
      added_tokens: added,
      normalizer: null,
      pre_tokenizer: { type: 'Metaspace', replacement: '▁', add_prefix_space: true },
      decoder: { type: 'Metaspace', replacement: '▁', add_prefix_space: true },
      post_processor: {
        type: 'TemplateProcessing',
        single: [
          { SpecialToken: { id: 'eng_Latn' } },
          { Sequence: { id: 'A' } },
          { SpecialToken: { id: '</s>' } },
        ],
        special_tokens: { eng_Latn: { ids: [6] }, '</s>': { ids: [2] } },
      },
    };
    const model = await load('m2m_100', { vocab_size: 8 }, { 'tokenizer.json': jsonBytes(json) });
    expect(model.source.encode('the cat')).toEqual([6, 4, 5]);
    const french = withLanguages(model, { sourceLang: 'fra_Latn', targetLang: 'eng_Latn' });
    expect([french.source.encode('cat'), french.target.decode([6, 5])]).toEqual([[7, 5], 'cat']);
  });
});

it('lists some languages for an unknown one, and says which models have none', async () => {
  const model = await load('m2m_100', nllb);
  const reject = (options: { sourceLang?: string; targetLang?: string }) => () =>
    withLanguages(model, options);
  expect(reject({ sourceLang: 'english' })).toThrow(
    errorAbout({ options: ['sourceLang'], values: ['english'] }),
  );
  expect(reject({ targetLang: '??' })).toThrow(errorAbout({ options: ['targetLang'], values: ['??'] }));
  const { languages: _, ...plain } = model;
  expect(() => withLanguages(plain, { targetLang: 'fra_Latn' })).toThrow(
    errorAbout({ options: ['targetLang'], values: ['fra_Latn'] }),
  );
});

it('a trained model keeps its languages, in the format of heddle and of transformers', async () => {
  const files = { 'generation_config.json': jsonBytes({ decoder_start_token_id: 2, eos_token_id: 2 }) };
  const loaded = withLanguages(await load('m2m_100', nllb, files), {
    sourceLang: 'deu_Latn',
    targetLang: 'fra_Latn',
  });
  const { sourceCheckpoint } = loaded;
  if (!sourceCheckpoint) throw new Error('no checkpoint');
  const trained = { ...loaded, sourceCheckpoint: retrainedCheckpoint(sourceCheckpoint) };
  const memory = memoryFiles();
  await saveModelFolder(memory, 'own', trained);
  for (const [name, bytes] of Object.entries(hfFiles(trained, 'm2m_100')))
    await memory.write(`hf/${name}`, bytes);
  for (const name of ['own', 'hf']) {
    const again = await loadModelFolder(memory, name);
    expect(framed(again)).toEqual(framed(loaded));
    expect(again.decode?.forcedBosTokenId).toBe(n + 57);
  }
});
