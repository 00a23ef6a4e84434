// SentencePiece models with the special tokens of Marian and Firefox: the end token has the id 0 and the unknown
// token 1, and there is neither a padding nor a start token (--bos_id=-1 --eos_id=0 --unk_id=1 of SentencePiece).

import { readSentencePiece } from '../../text/sentencepiece/sentencepiece-model.ts';
import { SentencePieceTokenizer } from '../../text/sentencepiece/sentencepiece-tokenizer.ts';
import { type SpecialIds, writeSentencePiece } from '../../text/sentencepiece/sentencepiece-writer.ts';
import type { Tokenizer } from '../../text/tokenizers/tokenizer.ts';

const marianIds: SpecialIds = { '<pad>': -1, '<s>': -1, '</s>': 0, '<unk>': 1 };

/**
 * The `.model` file of a model that heddle trained, with the special tokens of Marian and `controlSymbols` as they
 * are. It has two pieces fewer.
 */
export function withMarianPieces(file: Uint8Array): Uint8Array {
  const { algorithm, pieces, normalizer, byteFallback } = readSentencePiece(file, 'SentencePiece model');
  const kept = pieces.filter(({ text, type }) => type !== 'control' || !Object.hasOwn(marianIds, text));
  const end = pieces.filter(({ text, type }) => type === 'control' && text === '</s>');
  const named = (wanted: string) => kept.filter(({ type }) => type === wanted).map(({ text }) => text);
  return writeSentencePiece({
    algorithm,
    pieces: [...end, ...kept],
    charsmap: normalizer.charsmap,
    byteFallback,
    controlSymbols: named('control'),
    userSymbols: named('user-defined'),
    special: marianIds,
  });
}

/** The tokenizer of a model that heddle trained, with the special tokens of Marian. */
export const marianTokenizer = (file: Uint8Array, name: string): Tokenizer =>
  new SentencePieceTokenizer({ file: withMarianPieces(file), name, special: { pad: -1, start: -1 } });
