// SentencePiece models in a tokenizer.json that heddle wrote.

import { isObject, type Json } from '../../files/json-files.ts';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';
import { loadSentencePieceTokenizer, sentencePieceModelType } from './sentencepiece-tokenizer.ts';
import { isTrainedSentencePiece, loadTrainedSentencePiece } from './trained-sentencepiece.ts';

/** Whether a parsed tokenizer.json has a SentencePiece model, embedded or with its pieces. */
export const hasSentencePiece = (file: Json): boolean =>
  isEmbedded(file.model) || isTrainedSentencePiece(file);

/** Loads the tokenizer of a file that has one. Throws a HeddleError if it is invalid. */
export const loadSavedSentencePiece = (file: Json): Tokenizer =>
  isEmbedded(file.model) ? loadSentencePieceTokenizer(file.model) : loadTrainedSentencePiece(file);

const isEmbedded = (model: unknown): model is Readonly<Record<string, unknown>> =>
  isObject(model) && model.type === sentencePieceModelType;
