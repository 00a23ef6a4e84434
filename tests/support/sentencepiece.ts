// SentencePiece model files of a few pieces, written as protobuf messages.

const utf8 = new TextEncoder();

/** A length-delimited field. */
const field = (number: number, bytes: Uint8Array): number[] => [8 * number + 2, ...varint(bytes.length), ...bytes];

function varint(n: number): number[] {
  return n < 128 ? [n] : [(n & 127) | 128, ...varint(n >> 7)];
}

const float = (x: number): Uint8Array => new Uint8Array(Float32Array.of(x).buffer);

/**
 * A Unigram model file: the pieces by id, of which `<unk>` is the unknown one and `<s>`, `</s>` and `<pad>` are control pieces.
 * Longer pieces win.
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

/** Pieces of words and letters, with SentencePiece's ids of T5: padding 0, end 1, unknown 2. */
export const t5Pieces = ['<pad>', '</s>', '<unk>', '▁', 'a', 'b', 'c', '▁the', '▁cat'];
/** The same with the ids of fairseq's models: unknown 0. */
export const fairseqPieces = ['<unk>', '<s>', '</s>', '▁', 'a', 'b', 'c', '▁the', '▁cat'];
