// Tokenizer files of Hugging Face folders: MarianMT's source.spm, target.spm and vocab.json, or tokenizer.json, or
// vocab.json and merges.txt.

import { HeddleError } from '../../core/errors.ts';
import { parseJson } from '../../files/json-files.ts';
import { createSentencePieceTokenizer } from '../../text/sentencepiece/sentencepiece-tokenizer.ts';
import { createHfTokenizer } from '../../text/tokenizers/hf-tokenizer.ts';
import type { SpecialIds, Tokenizer } from '../../text/tokenizers/tokenizer.ts';
import { byteLevelBpeFileNames, byteLevelBpeJson } from './byte-level-bpe.ts';

/** What the model's configuration states about its tokens. */
export interface TokenizerConstraints {
  /** Ids of padding, start and end, and of the unknown token if it is stated. */
  readonly special: Omit<SpecialIds, 'unknown'> & { readonly unknown?: number };
  /** Vocabulary size of each side; a larger tokenizer is an error, a smaller one is padded. */
  readonly srcVocab: number;
  readonly tgtVocab: number;
}

/** Names of the files. */
const names = {
  source: 'source.spm',
  target: 'target.spm',
  vocab: 'vocab.json',
  targetVocab: 'target_vocab.json',
  json: 'tokenizer.json',
} as const;

/** The tokenizers of both sides, one object if they share one, and their tokenizer.json if there is one. */
export interface TokenizerPair {
  readonly source: Tokenizer;
  readonly target: Tokenizer;
  readonly json?: Readonly<Record<string, unknown>>;
}

/**
 * Loads the tokenizers from the files of a folder, given by name; undefined if there are none. Throws a HeddleError
 * that names the file if it is invalid or missing, or the vocabulary is larger than the model's.
 */
export function readTokenizerFiles(
  files: Readonly<Record<string, Uint8Array>>,
  facts: TokenizerConstraints,
  folder: string,
): TokenizerPair | undefined {
  const { special, srcVocab, tgtVocab } = facts;
  const path = (name: string) => `${folder}/${name}`;
  const [source, target, vocab, json] = [names.source, names.target, names.vocab, names.json].map((n) => files[n]);
  if (source || target) {
    const missing = [names.source, names.target, names.vocab].find((name) => !files[name]);
    if (!source || !target || !vocab)
      throw new HeddleError(
        `${folder}: ${missing} is missing; a MarianMT tokenizer is ${names.source}, ${names.target} and ${names.vocab}`,
      );
    const targetIds = files[names.targetVocab] ? names.targetVocab : names.vocab;
    const side = (file: Uint8Array, name: string, idsName: string, size: number): Tokenizer => {
      const ids = parseJson(files[idsName] as Uint8Array, path(idsName));
      return fitting(path(idsName), size, () =>
        createSentencePieceTokenizer({ file, name: path(name), vocab: ids, special, size }),
      );
    };
    return {
      source: side(source, names.source, names.vocab, srcVocab),
      target: side(target, names.target, targetIds, tgtVocab),
    };
  }
  const parsed = json ? parseJson(json, path(names.json)) : byteLevelBpeJson(files, folder);
  if (!parsed) return undefined;
  const of = path(json ? names.json : byteLevelBpeFileNames.vocab);
  const make = (size: number) => fitting(of, size, () => createHfTokenizer(parsed, { special, size }));
  const first = make(srcVocab);
  return { source: first, target: srcVocab === tgtVocab ? first : make(tgtVocab), json: parsed };
}

/** Creates a tokenizer and checks its size. Errors about vocab.json or tokenizer.json name the file at `path`. */
function fitting(path: string, size: number, make: () => Tokenizer): Tokenizer {
  let tokenizer: Tokenizer;
  try {
    tokenizer = make();
  } catch (error) {
    if (!(error instanceof HeddleError)) throw error;
    throw new HeddleError(error.message.replace(/^(vocab|tokenizer)\.json: /, `${path}: `), { cause: error });
  }
  if (tokenizer.size > size)
    throw new HeddleError(`${path}: its largest id is ${tokenizer.size - 1}, the model has ${size} tokens`);
  return tokenizer;
}
