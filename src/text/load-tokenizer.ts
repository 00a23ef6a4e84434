// Loads a tokenizer.json that heddle saved: a tokenizer that it trained, or a SentencePiece or Hugging Face tokenizer.
import { check, HeddleError } from '../core/errors.ts';
import { isObject } from '../files/json-files.ts';
import { loadSentencePieceTokenizer, sentencePieceModelType } from './sentencepiece/sentencepiece-tokenizer.ts';
import { createHfTokenizer, savedHfOptions } from './tokenizers/hf-tokenizer.ts';
import type { Tokenizer } from './tokenizers/tokenizer.ts';
import { loadTrainedTokenizer } from './tokenizers/trained-tokenizer.ts';

/**
 * Loads the tokenizer.json of a heddle model, as text or parsed. Throws a HeddleError if it is invalid, or names a
 * model, normalizer, pre-tokenizer, decoder or post-processor that heddle does not write.
 *
 * @example
 * const tokenizer = loadTokenizer(await readText(files, 'model/tokenizer.json'));
 */
export function loadTokenizer(json: unknown): Tokenizer {
  const file = typeof json === 'string' ? parse(json) : json;
  check(isObject(file) && isObject(file.model), 'tokenizer.json: the field model is missing');
  const { model } = file;
  if (model.type === sentencePieceModelType) return loadSentencePieceTokenizer(model);
  const kept = savedHfOptions(file);
  if (kept) return createHfTokenizer(file, kept);
  return loadTrainedTokenizer({ ...file, model });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new HeddleError(`tokenizer.json: not JSON (${(error as Error).message})`);
  }
}
