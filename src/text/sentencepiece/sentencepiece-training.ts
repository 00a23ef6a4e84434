// Trains a SentencePiece tokenizer on counted words.

import type { Steps } from '../../core/steps.ts';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';
import type { Counts } from '../tokenizers/vocabulary-training.ts';
import { pieceOptionsOf, type SentencePieceOptions } from './piece-options.ts';
import { pieceSteps } from './piece-training.ts';
import { createTrainedSentencePiece } from './trained-sentencepiece.ts';

/** Trains a tokenizer on counted words, in steps. Throws a HeddleError if `size` has no room for pieces. */
export function* sentencePieceSteps(words: Counts, given: SentencePieceOptions): Steps<Tokenizer> {
  return createTrainedSentencePiece(yield* pieceSteps(words, pieceOptionsOf(given)));
}
