// Writes SentencePiece model files: the protobuf message ModelProto of sentencepiece_model.proto, which
// sentencepiece-model.ts reads.

import { present } from '../../core/present.ts';
import { concatBytes } from '../../files/files.ts';
import { field, float, integer, text } from '../../files/protobuf-writer.ts';
import type { PieceType } from './sentencepiece-model.ts';

/** Ids of the special pieces of a model; -1: it has no such piece. */
export type SpecialIds = Readonly<Record<'<pad>' | '<s>' | '</s>' | '<unk>', number>>;

/** A model to write. */
export interface WrittenModel {
  readonly algorithm: 'unigram' | 'bpe';
  readonly pieces: readonly { readonly text: string; readonly score: number; readonly type: PieceType }[];
  /** Compiled rules of the normalization. */
  readonly charsmap: Uint8Array;
  readonly byteFallback: boolean;
  readonly controlSymbols: readonly string[];
  readonly userSymbols: readonly string[];
  /** [those of every model that heddle trains] */
  readonly special?: SpecialIds;
}

const typeNumbers: Record<PieceType, number> = {
  normal: 1,
  unknown: 2,
  control: 3,
  'user-defined': 4,
  unused: 5,
  byte: 6,
};

/** Ids of the special pieces, the first of every model that heddle trains. */
export const specialPieces = { '<pad>': 0, '<s>': 1, '</s>': 2, '<unk>': 3 } as const;

/** The bytes of a `.model` file. */
export function writeSentencePiece(model: WrittenModel): Uint8Array {
  const { pieces, byteFallback, special = specialPieces } = model;
  const messages = pieces.map(({ text: piece, score, type }) =>
    field(
      1,
      concatBytes(
        present([
          text(1, piece),
          float(2, score),
          type === 'normal' ? undefined : integer(3, typeNumbers[type]),
        ]),
      ),
    ),
  );
  const trainer = concatBytes([
    integer(3, model.algorithm === 'unigram' ? 1 : 2),
    integer(4, pieces.length),
    ...model.controlSymbols.map((symbol) => text(30, symbol)),
    ...model.userSymbols.map((symbol) => text(31, symbol)),
    integer(35, Number(byteFallback)),
    integer(40, special['<unk>']),
    integer(41, special['<s>']),
    integer(42, special['</s>']),
    integer(43, special['<pad>']),
  ]);
  const normalizer = concatBytes([
    text(1, 'nmt_nfkc'),
    field(2, model.charsmap),
    integer(3, 1),
    integer(4, 1),
    integer(5, 1),
  ]);
  return concatBytes([...messages, field(2, trainer), field(3, normalizer)]);
}
