// SentencePiece models without padding and start tokens, as Marian and Firefox have: the end token has the id 0 and
// the unknown token 1 (--bos_id=-1 --eos_id=0 --unk_id=1 of SentencePiece).

import type { Tokenizer } from '../tokenizers/tokenizer.ts';
import { readSentencePiece } from './sentencepiece-model.ts';
import { SentencePieceTokenizer } from './sentencepiece-tokenizer.ts';
import { type SpecialIds, writeSentencePiece } from './sentencepiece-writer.ts';

const special: SpecialIds = { '<pad>': -1, '<s>': -1, '</s>': 0, '<unk>': 1 };

/** The `.model` file of a model that heddle trained, without its padding and start tokens. */
export function withoutStart(file: Uint8Array): Uint8Array {
  const { algorithm, pieces, normalizer, byteFallback } = readSentencePiece(file, 'SentencePiece model');
  const kept = pieces.filter(({ text, type }) => type !== 'control' || !Object.hasOwn(special, text));
  const end = pieces.filter(({ text, type }) => type === 'control' && text === '</s>');
  const named = (wanted: string) => kept.filter(({ type }) => type === wanted).map(({ text }) => text);
  return writeSentencePiece({
    algorithm,
    pieces: [...end, ...kept],
    charsmap: normalizer.charsmap,
    byteFallback,
    controlSymbols: named('control'),
    userSymbols: named('user-defined'),
    special,
  });
}

/** The tokenizer of a model that heddle trained, without its padding and start tokens. */
export const tokenizerWithoutStart = (file: Uint8Array, name: string): Tokenizer =>
  new SentencePieceTokenizer({ file: withoutStart(file), name, special: { pad: -1, start: -1 } });
