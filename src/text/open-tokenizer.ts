// Opens a tokenizer.json with only the code that it needs: heddle's own tokenizers, or those of SentencePiece and
// Hugging Face.

import { isObject, type Json } from '../files/json-files.ts';
import type { Tokenizer } from './tokenizers/tokenizer.ts';

/** The code of each kind of tokenizer.json, loaded when there is one. */
const readers = {
  trained: () => import('./tokenizers/trained-tokenizer.ts'),
  sentencePiece: () => import('./sentencepiece/saved-sentencepiece.ts'),
  any: () => import('./load-tokenizer.ts'),
  withoutStart: () => import('./sentencepiece/pieces-without-start.ts'),
};

/** Loads the code for a tokenizer.json; the function that it resolves to reads the file, see `loadTokenizer`. */
export async function tokenizerReader(file: Json): Promise<() => Tokenizer> {
  const { model, heddle } = file;
  if (isObject(model) && !heddle) {
    // BPE of SentencePiece fuses unknown characters.
    if ((model.type === 'BPE' || model.type === 'WordPiece') && !model.fuse_unk) {
      const { loadTrainedTokenizer } = await readers.trained();
      return () => loadTrainedTokenizer({ ...file, model });
    }
    const { hasSentencePiece, loadSavedSentencePiece } = await readers.sentencePiece();
    if (hasSentencePiece(file)) return () => loadSavedSentencePiece(file);
  }
  const { loadTokenizer } = await readers.any();
  return () => loadTokenizer(file);
}

/** Opens the text of a tokenizer.json that heddle wrote. */
export async function openTokenizer(text: string): Promise<Tokenizer> {
  return (await tokenizerReader(JSON.parse(text) as Json))();
}

/** Number of pieces that a SentencePiece model loses without padding and start tokens. */
export const startPieces = 2;

/** `openTokenizer` of a SentencePiece model that was trained, without its padding and start tokens. */
export async function openTokenizerWithoutStart(text: string): Promise<Tokenizer> {
  const tokenizer = await openTokenizer(text);
  const { tokenizerWithoutStart } = await readers.withoutStart();
  return tokenizer.modelFile ? tokenizerWithoutStart(tokenizer.modelFile, 'SentencePiece model') : tokenizer;
}
