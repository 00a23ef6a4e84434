// Tokenizers that are another tokenizer with some parts replaced.

import type { Tokenizer } from './tokenizer.ts';

/** A tokenizer that does what `tokenizer` does, except for `changes`. */
export const derivedTokenizer = (tokenizer: Tokenizer, changes: Partial<Tokenizer>): Tokenizer => ({
  kind: tokenizer.kind,
  size: tokenizer.size,
  special: tokenizer.special,
  begin: tokenizer.begin,
  suffix: tokenizer.suffix,
  modelFile: tokenizer.modelFile,
  encode: (text) => tokenizer.encode(text),
  decode: (ids) => tokenizer.decode(ids),
  normalize: (text) => tokenizer.normalize(text),
  pieces: tokenizer.pieces && ((text) => tokenizer.pieces?.(text) ?? []),
  token: (id) => tokenizer.token(id),
  toJSON: () => tokenizer.toJSON(),
  ...changes,
});
