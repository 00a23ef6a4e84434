// Tokenizer files of exported models: the library of transformers.js reads heddle's ids with the end token from
// tokenizer.json, and heddle loads the files again.
import { Tokenizer as Library } from '@huggingface/tokenizers';
import { describe, expect, it } from 'vitest';
import { renderMessage } from '../../../src/core/message.ts';
import { runSteps } from '../../../src/core/steps.ts';
import { memoryFiles } from '../../../src/files/memory-files.ts';
import { hfFiles } from '../../../src/formats/hf/save-hf.ts';
import { symbolDifference } from '../../../src/formats/hf/transformers-tokenizer.ts';
import { loadModelFolder } from '../../../src/formats/model-folder.ts';
import type { SavedModel } from '../../../src/formats/shared/saved-model.ts';
import { exportTokenizer } from '../../../src/formats/tokenizers/exported-tokenizer.ts';
import { initializeWeights } from '../../../src/model/initialize-weights.ts';
import { type ModelOptions, modelConfig } from '../../../src/model/model-config.ts';
import { parameterList } from '../../../src/model/parameters.ts';
import { presets } from '../../../src/model/presets.ts';
import { loadTokenizer, readTokenizerFile } from '../../../src/text/load-tokenizer.ts';
import { pieceOptionsOf, type SentencePieceOptions } from '../../../src/text/sentencepiece/piece-options.ts';
import { pieceSteps } from '../../../src/text/sentencepiece/piece-training.ts';
import { createTrainedSentencePiece } from '../../../src/text/sentencepiece/trained-sentencepiece.ts';
import { createWordCounter } from '../../../src/text/sentencepiece/word-counter.ts';
import type { Tokenizer } from '../../../src/text/tokenizers/tokenizer.ts';
import { errorAbout } from '../../support/expect-error.ts';
import { everyCase } from '../../support/gpu.ts';
import { sentencePieceFile } from '../../support/sentencepiece.ts';
import { phrases as allPhrases } from '../../support/text.ts';
import { trainBpe, trainCharacters, trainWords } from '../../support/tokenizers.ts';

const phrases = allPhrases.slice(0, 400);
const hex = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString('hex');
const letters = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,!?-'];
/** A SentencePiece model without a padding piece, which the tokenizer adds. */
const spm = (...words: string[]) =>
  readTokenizerFile(
    sentencePieceFile([
      '<unk>',
      '<s>',
      '</s>',
      '\u2581',
      ...letters,
      ...words.map((word) => `\u2581${word}`),
    ]),
    'my.spm',
  );

function trainedPieces(size: number, more: Partial<SentencePieceOptions> = {}): Uint8Array {
  const options = pieceOptionsOf({ kind: 'unigram', size, ...more });
  const counter = createWordCounter(options);
  for (const text of phrases) counter.add(text);
  return runSteps(pieceSteps(counter.counts(), options));
}

const kinds: Record<string, Tokenizer> = {
  words: trainWords(phrases, { size: 200 }),
  characters: trainCharacters(phrases),
  bpe: trainBpe(phrases, { size: 300 }),
  sentencepiece: spm('the', 'of', 'and'),
  'a trained unigram model': createTrainedSentencePiece(trainedPieces(300)),
  'a unigram model with bytes': createTrainedSentencePiece(trainedPieces(700)),
  'a lowercase unigram model with bytes': createTrainedSentencePiece(trainedPieces(700, { lowercase: true })),
  'a byte-pair model with bytes': createTrainedSentencePiece(
    trainedPieces(700, { kind: 'sentencepiece-bpe' }),
  ),
};

function model(source: Tokenizer, target: Tokenizer, options: Partial<ModelOptions>): SavedModel {
  const config = modelConfig({
    dModel: 8,
    heads: 2,
    feedForward: 12,
    encoderLayers: 1,
    decoderLayers: 1,
    ...options,
    maxLength: 24,
    srcVocab: source.size,
    tgtVocab: target.size,
    padId: target.special.pad,
    startId: target.special.start,
    endId: target.special.end,
  });
  return { config, source, target, weights: initializeWeights(config, parameterList(config), 1) };
}

const loaded = (files: Readonly<Record<string, Uint8Array>>) =>
  loadModelFolder(
    memoryFiles(new Map(Object.entries(files).map(([name, bytes]) => [`m/${name}`, bytes]))),
    'm',
  );

const json = (bytes: Uint8Array | undefined) => JSON.parse(new TextDecoder().decode(bytes));

const families = {
  bart: { positions: 'learned', positionOffset: 2, embeddingNorm: true, finalNorm: false, tie: 'all' },
  t5: { ...presets['t5-tiny'], dModel: 8, heads: 2, headWidth: 4, feedForward: 12, tie: 'embeddings' },
  marian: { positions: 'sinusoidal-halves', finalNorm: false, tie: 'all' },
} as const satisfies Record<string, Partial<ModelOptions>>;

describe.each(Object.keys(families) as (keyof typeof families)[])('%s', (type) => {
  // Each kind of tokenizer in one family, and each family with one kind; all of them in test:full.
  const some = everyCase || type === 'bart' ? Object.keys(kinds) : ['words', 'a unigram model with bytes'];
  it.each(some)('of %s gives the ids of heddle, with the end token', async (kind) => {
    const own = kinds[kind] as Tokenizer;
    const saved = model(own, own, families[type]);
    const files = hfFiles(saved, type);
    const again = await loaded(files);
    const names = json(files['tokenizer_config.json']);
    const library = new Library(json(files['tokenizer.json']), names);
    // transformers.js looks up the token that pads a batch.
    expect(library.token_to_id(names.pad_token)).toBe(own.special.pad);
    const rare = [
      'snow ☃ and 😀 日本',
      'Å ﬁ ① «x» ~',
      '  12:45  <0x41> \u0001',
      'STRASSE Straße ΟΔΟΣ οδός № 5 ™ 20 ℃ ÉCOLE Ⅻ',
    ];
    for (const text of kind.includes('unigram')
      ? [...phrases.slice(0, everyCase ? 40 : 8), ...(kind.endsWith('bytes') ? rare : [])]
      : phrases.slice(0, everyCase ? 400 : 100)) {
      expect(again.source.encode(text), text).toEqual(own.encode(text));
      expect(library.encode(text).ids, text).toEqual([...own.encode(text), own.special.end]);
      const ids = own.encode(text);
      if (!ids.includes(own.special.unknown)) expect(library.decode(ids), text).toBe(own.decode(ids));
    }
    // Models with little training begin texts with several space marks, which SentencePiece leaves out.
    const mark = Array.from({ length: own.size }, (_, id) => own.token(id)).indexOf('▁');
    if (own.modelFile)
      for (const ids of [1, 2, 5].map((n) => [...Array<number>(n).fill(mark), ...own.encode('the a')])) {
        expect(library.decode(ids)).toBe(own.decode(ids));
        expect(new Library(exportTokenizer(own, own).json, {}).decode(ids)).toBe(own.decode(ids));
      }
    // As text: Vitest compares a file of 240 kB element by element.
    expect(hex(again.source.modelFile)).toBe(hex(own.modelFile));
    expect(again.weights).toHaveLength(hfFiles(again, type) ? again.weights.length : 0);
    expect(json(files['generation_config.json'])).toMatchObject({
      max_length: 25,
      decoder_start_token_id: own.special.start,
      eos_token_id: own.special.end,
      pad_token_id: own.special.pad,
    });
  });
});

it('writes the models and vocabularies of MarianMT for two SentencePiece tokenizers', async () => {
  const [source, target] = [spm('one', 'two', 'three'), spm('uno', 'dos', 'tres')];
  const saved = model(source, target, { ...families.marian, tie: 'target' });
  const files = hfFiles(saved, 'marian');
  expect(Object.keys(files)).toEqual(
    expect.arrayContaining(['source.spm', 'target.spm', 'vocab.json', 'target_vocab.json']),
  );
  const config = json(files['tokenizer_config.json']);
  expect(config).toMatchObject({ tokenizer_class: 'MarianTokenizer', separate_vocabs: true });
  // transformers looks up the special tokens in the vocabulary.
  const vocab = json(files['target_vocab.json']);
  const { pad, end, unknown } = target.special;
  expect([vocab[config.pad_token], vocab[config.eos_token], vocab[config.unk_token]]).toEqual([
    pad,
    end,
    unknown,
  ]);
  const again = await loaded(files);
  expect(again.source.encode('one and two')).toEqual(source.encode('one and two'));
  expect(again.target.encode('tres y dos')).toEqual(target.encode('tres y dos'));
});

it('names the symbols at which transformers splits a text', () => {
  const own = createTrainedSentencePiece(
    trainedPieces(300, { pieces: { userSymbols: ['<BT>'], controlSymbols: ['<c>'] } }),
  );
  const difference = symbolDifference(own);
  expect(difference && renderMessage(difference)).toMatch(/^transformers splits texts at <c>, <BT> before /);
  expect(Object.values(kinds).map(symbolDifference)).toEqual(Object.values(kinds).map(() => undefined));
});

it('refuses two vocabularies of another kind', () => {
  const saved = model(trainWords(['a b'], { size: 9 }), trainWords(['c d e'], { size: 9 }), {
    ...families.marian,
    tie: 'target',
  });
  expect(() => hfFiles(saved, 'marian')).toThrow(errorAbout({ area: 'marian' }));
});

it('loads no other post-processor as its own', () => {
  const file = kinds.words?.toJSON();
  const template = (single: unknown) => ({ ...file, post_processor: { type: 'TemplateProcessing', single } });
  for (const single of [[], [{ Sequence: { id: 'A', type_id: 0 } }], undefined])
    expect(() => loadTokenizer(template(single))).toThrow(
      errorAbout({ area: 'tokenizer.json', values: ['post-processor', 'TemplateProcessing'] }),
    );
});
