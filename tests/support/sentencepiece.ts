// SentencePiece model files with a few pieces, written as protobuf messages, and models with them.

import { jsonBytes } from '../../src/files/json-files.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { loadModelFolder } from '../../src/formats/model-folder.ts';
import type { SavedModel } from '../../src/formats/shared/saved-model.ts';
import type { SentencePieceProcessor } from '../../src/text/sentencepiece/processor.ts';

const utf8 = new TextEncoder();

/** Text of ids. */
export const decodeIds = (
  { model: { pieces }, decode }: SentencePieceProcessor,
  ids: Iterable<number>,
): string => decode(Array.from(ids, (id) => pieces[id]?.text ?? ''));

/** A length-delimited field. */
const field = (number: number, bytes: Uint8Array): number[] => [
  8 * number + 2,
  ...varint(bytes.length),
  ...bytes,
];

function varint(n: number): number[] {
  return n < 128 ? [n] : [(n & 127) | 128, ...varint(n >> 7)];
}

const float = (x: number): Uint8Array => new Uint8Array(Float32Array.of(x).buffer);

/**
 * A Unigram model file with the given pieces by id: `<unk>` is the unknown piece; `<s>`, `</s>` and `<pad>`
 * are control pieces. Longer pieces have higher scores.
 */
export function sentencePieceFile(pieces: readonly string[]): Uint8Array {
  const messages = pieces.map((text) => {
    const type = text === '<unk>' ? 2 : ['<s>', '</s>', '<pad>'].includes(text) ? 3 : 1;
    return [...field(1, utf8.encode(text)), 8 * 2 + 5, ...float(-1 / text.length), 8 * 3, type];
  });
  return Uint8Array.from([
    ...messages.flatMap((message) => field(1, Uint8Array.from(message))),
    ...field(2, Uint8Array.of(8 * 3, 1)), // trainer_spec: unigram
  ]);
}

/** A model file with other flags: the last value of a field of a protobuf message counts. */
export function withFlags(
  file: Uint8Array,
  {
    suffix,
    prefix,
    collapse,
    charsmap,
    denormalizer,
  }: {
    suffix?: boolean;
    prefix?: boolean;
    collapse?: boolean;
    charsmap?: Uint8Array;
    denormalizer?: Uint8Array;
  },
): Uint8Array {
  const flag = (number: number, value: boolean | undefined) =>
    value === undefined ? [] : [...varint(8 * number), Number(value)];
  const trainer = Uint8Array.from(flag(24, suffix)); // treat_whitespace_as_suffix
  const rules = charsmap ? field(2, charsmap) : [];
  const normalizer = Uint8Array.from([...rules, ...flag(3, prefix), ...flag(4, collapse)]);
  const denormalization = denormalizer ? field(5, Uint8Array.from(field(2, denormalizer))) : [];
  return Uint8Array.from([...file, ...field(2, trainer), ...field(3, normalizer), ...denormalization]);
}

/** Pieces of words and letters, with SentencePiece's ids of T5: padding 0, end 1, unknown 2. */
export const t5Pieces = ['<pad>', '</s>', '<unk>', '▁', 'a', 'b', 'c', '▁the', '▁cat'];
/** The same with the ids of fairseq's models: unknown 0. */
export const fairseqPieces = ['<unk>', '<s>', '</s>', '▁', 'a', 'b', 'c', '▁the', '▁cat'];

/** Sizes in config.json of a model of `width`, with `layers` layers in each stack. */
export function hfSizes(type: string, { width = 4, layers = 1, hidden = 4, heads = 1, positions = 16 } = {}) {
  if (type === 't5' || type === 'mt5')
    return { d_model: width, d_kv: width / heads, d_ff: hidden, num_heads: heads, num_layers: layers };
  const stacks = ['encoder', 'decoder'].flatMap((stack) => [
    [`${stack}_layers`, layers],
    [`${stack}_ffn_dim`, hidden],
    [`${stack}_attention_heads`, heads],
  ]);
  return { d_model: width, max_position_embeddings: positions, ...Object.fromEntries(stacks) };
}

/**
 * A model with random weights, from a folder with `fairseqPieces` and further files. `config`: fields of
 * config.json.
 */
export async function loadMultilingual(
  type: string,
  config: Readonly<Record<string, unknown>>,
  files: Readonly<Record<string, Uint8Array>> = {},
): Promise<SavedModel> {
  const memory = memoryFiles();
  await memory.write('m/config.json', jsonBytes({ model_type: type, ...hfSizes(type), ...config }));
  for (const [name, bytes] of Object.entries({
    'sentencepiece.bpe.model': sentencePieceFile(fairseqPieces),
    ...files,
  }))
    await memory.write(`m/${name}`, bytes);
  return loadModelFolder(memory, 'm');
}
