// Writes the tokenizer files of heddle's format; heddle-tokenizers.ts reads them.

import { jsonBytes } from '../../files/json-files.ts';
import { modelFileNames as names } from '../../files/model-file.ts';
import type { Tokenizer } from '../../text/tokenizers/tokenizer.ts';

/** The tokenizer files by name. */
export const heddleTokenizerFiles = (source: Tokenizer, target: Tokenizer): Record<string, Uint8Array> =>
  source === target
    ? { [names.tokenizer]: jsonBytes(source) }
    : { [names.source]: jsonBytes(source), [names.target]: jsonBytes(target) };

/** The SentencePiece models of the tokenizers that heddle trained, for other tools: `tokenizer.model` or one a side. */
export function sentencePieceFiles(source: Tokenizer, target: Tokenizer): Record<string, Uint8Array> {
  const sides =
    source === target
      ? [[names.tokenizer, source] as const]
      : [[names.source, source] as const, [names.target, target] as const];
  return Object.fromEntries(
    sides.flatMap(([name, { modelFile }]) =>
      modelFile ? [[name.replace(/json$/, 'model'), modelFile]] : [],
    ),
  );
}
