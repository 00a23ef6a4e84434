// Small valid files of every kind that heddle reads, for the fuzzer to damage, and their readers.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { unzipModel } from '../../src/files/model-archives.ts';
import { readSafetensors } from '../../src/files/safetensors.ts';
import { writeSafetensors } from '../../src/files/write-safetensors.ts';
import { zipParts } from '../../src/files/zip.ts';
import { hfFiles } from '../../src/formats/hf/save-hf.ts';
import { loadLora, loraFiles } from '../../src/formats/lora-folder.ts';
import { loadModelFolder } from '../../src/formats/model-folder.ts';
import { saveModelFolder } from '../../src/formats/save-heddle.ts';
import type { SavedModel } from '../../src/formats/shared/saved-model.ts';
import { readTokenizerFiles } from '../../src/formats/tokenizers/tokenizer-files.ts';
import { initializeWeights } from '../../src/model/initialize-weights.ts';
import { loraConfig, loraParameters } from '../../src/model/lora.ts';
import { modelConfig } from '../../src/model/model-config.ts';
import { parameterList } from '../../src/model/parameters.ts';
import { readTsv } from '../../src/text/corpus/tsv.ts';
import { loadTokenizer } from '../../src/text/load-tokenizer.ts';
import { openSentencePiece } from '../../src/text/sentencepiece/processor.ts';
import { SentencePieceTokenizer } from '../../src/text/sentencepiece/sentencepiece-tokenizer.ts';
import type { Tokenizer } from '../../src/text/tokenizers/tokenizer.ts';
import { formatLog, parseLog } from '../../src/train/report/training-log.ts';
import { readTrainingState } from '../../src/train/run/training-state.ts';
import { decodeIds } from '../support/sentencepiece.ts';
import { trainBpe, trainWords } from '../support/tokenizers.ts';
import { example } from '../train/report/example.ts';

/** One kind of input: files by name, and a reader of them. */
export interface Target {
  readonly name: string;
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** Reads the damaged files and uses the result. */
  read(files: Readonly<Record<string, Uint8Array>>): Promise<void> | void;
}

const bytesOf = (value: unknown): Uint8Array =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));

/** Texts to tokenize. */
const texts = [
  '',
  ' ',
  'the dog, the cat.',
  '¿Dónde está el niño?',
  '\u0000\ufeff\ud83d\ude00 e\u0301 ﬁ',
  'a'.repeat(3000),
];

function tryTokenizer(tokenizer: Pick<Tokenizer, 'encode' | 'decode' | 'normalize' | 'size'>): void {
  for (const text of texts) {
    const ids = tokenizer.encode(text);
    for (const id of ids)
      if (!(id >= 0 && id < tokenizer.size)) throw new Error(`the id ${id} of ${tokenizer.size} tokens`);
    tokenizer.decode(ids);
    tokenizer.normalize(text);
  }
}

const folderTarget = (name: string, files: Readonly<Record<string, Uint8Array>>): Target => ({
  name,
  files,
  async read(damaged) {
    const model = await loadModelFolder(
      memoryFiles(new Map(Object.entries(damaged).map(([key, x]) => [`m/${key}`, x]))),
      'm',
    );
    const total = parameterList(model.config).size;
    if (model.weights.length !== total)
      throw new Error(`${model.weights.length} weights, ${total} are wanted`);
    for (const side of [model.source, model.target]) side.encode('the dog');
  },
});

/** All kinds. `fixtures` is tests/fixtures. */
export async function targets(fixtures = resolve(import.meta.dirname, '../fixtures')): Promise<Target[]> {
  const spm = (name: string) =>
    new Uint8Array(readFileSync(join(fixtures, 'sentencepiece', `${name}.model`)));
  const lines = readFileSync(join(fixtures, 'quixote.txt'), 'utf8').trim().split('\n');
  const words = trainWords(lines, { size: 60 });
  const bpe = trainBpe(lines, { size: 120 });
  const model = (source: Tokenizer, target: Tokenizer, extra: object): SavedModel => {
    const config = modelConfig({
      srcVocab: source.size,
      tgtVocab: target.size,
      dModel: 8,
      heads: 2,
      feedForward: 12,
      maxLength: 20,
      encoderLayers: 1,
      decoderLayers: 1,
      padId: target.special.pad,
      startId: target.special.start,
      endId: target.special.end,
      ...extra,
    });
    return { config, source, target, weights: initializeWeights(config, parameterList(config), 1) };
  };
  const own = model(words, bpe, {});
  const saved = new Map<string, Uint8Array>();
  await saveModelFolder(memoryFiles(saved), 'm', own);
  const heddle = Object.fromEntries([...saved].map(([path, bytes]) => [path.slice(2), bytes]));
  const bart = hfFiles(
    model(bpe, bpe, {
      tie: 'all',
      positions: 'learned',
      positionOffset: 2,
      embeddingNorm: true,
      activation: 'gelu',
      outputBias: true,
      finalNorm: false,
    }),
    'bart',
  );
  const small = spm('unigram-symbols');
  const vocab = Object.fromEntries([
    ...openSentencePiece(small).model.pieces.map((piece, id): [string, number] => [piece.text, id]),
    ['<pad>', 400],
  ]);
  const pieces = new SentencePieceTokenizer({ file: small, name: 'source.spm', vocab });
  const marianModel = model(pieces, pieces, {
    tie: 'all',
    positions: 'sinusoidal-halves',
    activation: 'silu',
    scaleEmbedding: true,
    outputBias: true,
    finalNorm: false,
  });
  const { 'tokenizer.json': _, ...marianWeights } = hfFiles(marianModel, 'marian');
  const marian = { ...marianWeights, 'source.spm': small, 'target.spm': small, 'vocab.json': bytesOf(vocab) };
  const lora = loraConfig({ rank: 2, alpha: 4, targetModules: ['q', 'v'] });
  const adapted = { lora, weights: initializeWeights(own.config, loraParameters(own.config, lora), 1) };
  const huggingFace = {
    version: '1.0',
    added_tokens: [],
    normalizer: { type: 'NFKC' },
    post_processor: null,
    pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
    decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
    model: {
      type: 'Unigram',
      unk_id: 2,
      vocab: [...'PEU▁abcdefghijklmnopqrstuvwxyz'].map((c, i) => [c, -i]),
    },
    heddle: { special: { pad: 0, start: 0, end: 1, unknown: 2 }, size: 30 },
  };
  const byteLevel = {
    ...huggingFace,
    normalizer: { type: 'Sequence', normalizers: [{ type: 'NFC' }, { type: 'Lowercase' }] },
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      unk_token: 'U',
      vocab: Object.fromEntries([...'PEUĠabcdefghijklmnopqrst', 'th', 'the'].map((c, i) => [c, i])),
      merges: [
        ['t', 'h'],
        ['th', 'e'],
      ],
    },
  };
  const pairVocab = Object.fromEntries(
    ['<s>', '<pad>', '</s>', '<unk>', ...'Ġabcdefghijt', 'th', 'Ġa'].map((t, i) => [t, i]),
  );
  const bytePairs = {
    'vocab.json': bytesOf(pairVocab),
    'merges.txt': new TextEncoder().encode('#version: 0.2\nt h\nĠ a\n'),
    'special_tokens_map.json': bytesOf({ cls_token: '<s>', sep_token: { content: '</s>', lstrip: false } }),
    'tokenizer_config.json': bytesOf({ add_prefix_space: false, tokenizer_class: 'BartTokenizer' }),
    'added_tokens.json': bytesOf({ '<extra>': 18 }),
  };
  const state = { version: 1, step: 7, choices: {}, engine: 'x', skipped: 0, arguments: {} };
  const one = (
    name: string,
    file: string,
    bytes: Uint8Array,
    read: (bytes: Uint8Array) => Promise<void> | void,
  ): Target => ({
    name,
    files: { [file]: bytes },
    read: (files) => read(files[file] ?? new Uint8Array(0)),
  });
  const json = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return [
    folderTarget('heddle', heddle),
    folderTarget('bart', bart),
    folderTarget('marian', marian),
    folderTarget('sharded', sharded(bart)),
    ...['unigram-symbols', 'unigram-bytes', 'bpe', 'bpe-bytes', 'unigram'].map((name) =>
      one(`spm-${name}`, 'x.spm', spm(name), (bytes) => {
        const sp = openSentencePiece(bytes, 'x.spm');
        tryTokenizer({
          ...sp,
          size: sp.model.pieces.length,
          encode: (text) => sp.encode(text).map((p) => p.id),
          decode: (ids) => decodeIds(sp, ids),
        });
      }),
    ),
    ...Object.entries({ words, bpe, pieces, huggingFace, byteLevel }).map(([name, tokenizer]) =>
      one(`tokenizer-${name}`, 'tokenizer.json', bytesOf(tokenizer), (bytes) =>
        tryTokenizer(loadTokenizer(json(bytes))),
      ),
    ),
    {
      name: 'byte-pairs',
      files: bytePairs,
      read(damaged) {
        const facts = { special: { pad: 1, start: 2, end: 2 }, srcVocab: 20, tgtVocab: 20 };
        const found = readTokenizerFiles(damaged, facts, 'm');
        if (found) tryTokenizer(found.source);
      },
    },
    one(
      'safetensors',
      'x.safetensors',
      writeSafetensors(
        {
          a: { dtype: 'f32', shape: [2, 3], data: new Float32Array(6) },
          b: { dtype: 'i32', shape: [4], data: new Int32Array(4) },
        },
        { k: 'v' },
      ),
      (bytes) => void readSafetensors(bytes, 'x.safetensors'),
    ),
    one('zip', 'm.zip', concat(zipParts(heddle)), async (bytes) => void (await unzipModel(bytes, 'm.zip'))),
    {
      name: 'adapter',
      files: loraFiles(own.config, adapted, 'm'),
      async read(files) {
        await loadLora(
          memoryFiles(new Map(Object.entries(files).map(([key, x]) => [`a/${key}`, x]))),
          'a',
          own.config,
        );
      },
    },
    one(
      'tsv',
      'x.tsv',
      bytesOf('the dog\tel perro\nthe cat\tel gato\tx\n'),
      (bytes) => void readTsv(bytes, 'x.tsv'),
    ),
    one('log', 'log.jsonl', bytesOf(formatLog(example(20))), (bytes) => void parseLog(json(bytes))),
    one(
      'state',
      'state.json',
      bytesOf(state),
      async (bytes) => void (await readTrainingState(memoryFiles(new Map([['m/state.json', bytes]])), 'm')),
    ),
  ];
}

/** A folder with its weights in two files and an index. */
function sharded({
  'model.safetensors': whole,
  ...rest
}: Record<string, Uint8Array>): Record<string, Uint8Array> {
  const tensors = Object.entries(readSafetensors(whole as Uint8Array));
  const half = Math.ceil(tensors.length / 2);
  const names = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'] as const;
  const map = Object.fromEntries(tensors.map(([name], i) => [name, names[i < half ? 0 : 1]]));
  return {
    ...rest,
    [names[0]]: writeSafetensors(Object.fromEntries(tensors.slice(0, half)), { format: 'pt' }),
    [names[1]]: writeSafetensors(Object.fromEntries(tensors.slice(half)), { format: 'pt' }),
    'model.safetensors.index.json': bytesOf({ metadata: { total_size: 1 }, weight_map: map }),
  };
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
