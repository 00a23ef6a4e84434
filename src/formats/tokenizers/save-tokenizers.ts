// Writes the tokenizer files of heddle's format.

import { jsonBytes } from '../../files/json-files.ts';
import { modelFileNames as names } from '../../files/model-file.ts';
import type { Tokenizer } from '../../text/tokenizers/tokenizer.ts';

/** The tokenizer files by name. */
export const heddleTokenizerFiles = (source: Tokenizer, target: Tokenizer): Record<string, Uint8Array> =>
  source === target
    ? { [names.tokenizer]: jsonBytes(source) }
    : { [names.source]: jsonBytes(source), [names.target]: jsonBytes(target) };
