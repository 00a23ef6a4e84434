// Tokenizer files of Hugging Face folders: MarianMT's source.spm, target.spm and vocab.json, or
// tokenizer.json, or the SentencePiece model of a tokenizer class, or vocab.json and merges.txt.

import { HeddleError, withArea } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import { tokenizerFileNames as names } from '../../files/hf-file-names.ts';
import { isCount, isObject, type Json, parseJson } from '../../files/json-files.ts';
import { SentencePieceTokenizer } from '../../text/sentencepiece/sentencepiece-tokenizer.ts';
import { createHfTokenizer } from '../../text/tokenizers/hf-tokenizer.ts';
import type { SpecialIds, Tokenizer } from '../../text/tokenizers/tokenizer.ts';
import { byteLevelBpeJson } from './byte-level-bpe.ts';
import type { LanguageFacts, TokenizerClass, TokenizerClassName } from './tokenizer-classes.ts';
import { byteTokenizerJson, classVocabulary, languagesIn, tokenizerClasses } from './tokenizer-classes.ts';

/** Special ids and vocabulary sizes in the model's configuration, which the tokenizers must match. */
export interface TokenizerConstraints {
  /** Ids of padding, start and end, and of the unknown token if it is stated. */
  readonly special: Omit<SpecialIds, 'unknown'> & { readonly unknown?: number };
  /** Vocabulary size of each side; a larger tokenizer is an error, a smaller one is padded. */
  readonly srcVocab: number;
  readonly tgtVocab: number;
  /** The tokenizer class of the model's family, used if tokenizer_config.json names no known class. */
  readonly kind?: TokenizerClassName;
}

/** The tokenizers of both sides, one object if they share one, and their tokenizer.json if there is one. */
export interface LoadedTokenizers {
  readonly source: Tokenizer;
  readonly target: Tokenizer;
  readonly json?: Readonly<Record<string, unknown>>;
  readonly languages?: LanguageFacts;
}

/**
 * Loads the tokenizers from the files of a folder, given by name; undefined if there are none. Throws a
 * HeddleError that names the file if it is invalid or missing, or the vocabulary is larger than the model's.
 */
export function readTokenizerFiles(
  files: Readonly<Record<string, Uint8Array>>,
  facts: TokenizerConstraints,
  folder: string,
): LoadedTokenizers | undefined {
  const { special, srcVocab, tgtVocab } = facts;
  const path = (name: string) => `${folder}/${name}`;
  const [source, target, vocab, json] = [names.source, names.target, names.vocab, names.json].map(
    (n) => files[n],
  );
  if (source || target) {
    const missing = [names.source, names.target, names.vocab].find((name) => !files[name]);
    if (!source || !target || !vocab)
      throw new HeddleError(
        msg`${missing} is missing; a MarianMT tokenizer is ${names.source}, ${names.target} and ${names.vocab}`,
        { area: folder, kind: 'not-found' },
      );
    const targetIds = files[names.targetVocab] ? names.targetVocab : names.vocab;
    const side = (file: Uint8Array, name: string, idsName: string, size: number): Tokenizer => {
      const ids = parseJson(files[idsName] as Uint8Array, path(idsName));
      return createSized(
        path(idsName),
        size,
        () => new SentencePieceTokenizer({ file, name: path(name), vocab: ids, special, size }),
      );
    };
    return {
      source: side(source, names.source, names.vocab, srcVocab),
      target: side(target, names.target, targetIds, tgtVocab),
    };
  }
  const config = files[names.config] ? parseJson(files[names.config] as Uint8Array, path(names.config)) : {};
  const kind = facts.kind && classOf(config.tokenizer_class, facts.kind, files);
  const parsed = json
    ? parseJson(json, path(names.json))
    : kind && !kind.file
      ? byteTokenizerJson(config, srcVocab)
      : byteLevelBpeJson(files, folder);
  if (!parsed) return kind && readClass(kind, config, files, facts, folder);
  const file = path(json ? names.json : names.vocab);
  const make = (size: number) => createSized(file, size, () => createHfTokenizer(parsed, { special, size }));
  const first = make(srcVocab);
  const both = { source: first, target: srcVocab === tgtVocab ? first : make(tgtVocab), json: parsed };
  const added = Array.isArray(parsed.added_tokens) ? (parsed.added_tokens as Json[]) : [];
  const ids = new Map(added.map(({ content, id }) => [String(content), id as number]));
  return { ...both, languages: kind && languagesIn(kind, config, ids) };
}

/** The class that tokenizer_config.json names if it is known, else that of the family. */
function classOf(
  named: unknown,
  ofFamily: TokenizerClassName,
  files: Readonly<Record<string, Uint8Array>>,
): TokenizerClass {
  const name = String(named).replace(/Fast$/, '');
  if (Object.hasOwn(tokenizerClasses, name)) return tokenizerClasses[name as TokenizerClassName];
  // NLLB has the model type of M2M100, but no vocab.json.
  const isNllb = ofFamily === 'M2M100Tokenizer' && !files[names.vocab];
  return tokenizerClasses[isNllb ? 'NllbTokenizer' : ofFamily];
}

/** The tokenizer of a class with a SentencePiece model; undefined if there is no model. */
function readClass(
  kind: TokenizerClass,
  config: Json,
  files: Readonly<Record<string, Uint8Array>>,
  { special, srcVocab }: TokenizerConstraints,
  folder: string,
): LoadedTokenizers | undefined {
  const path = (name: string) => `${folder}/${name}`;
  const name = [kind.file, names.t5, names.fairseq].find((x) => x !== undefined && files[x]);
  const file = files[name ?? ''];
  if (name === undefined || !file) return undefined;
  const ids = files[names.vocab];
  if (kind.vocab && !ids)
    throw new HeddleError(msg`${names.vocab} is missing; it has the ids of ${name}`, {
      area: folder,
      kind: 'not-found',
    });
  const vocab = kind.vocab && ids && parseJson(ids, path(names.vocab));
  const added = addedTokens(config, files, folder);
  let languages: LanguageFacts | undefined;
  const tokenizer = createSized(path(vocab ? names.vocab : name), srcVocab, () => {
    const given = { file, added, size: srcVocab, vocab };
    const { languages: classLanguages, ...tokens } = classVocabulary(kind, config, given, path(name));
    languages = classLanguages;
    return new SentencePieceTokenizer({ file, name: path(name), ...tokens, special, size: srcVocab });
  });
  return { source: tokenizer, target: tokenizer, languages };
}

/** The tokens in added_tokens.json and tokenizer_config.json with their ids. */
function addedTokens(
  config: Json,
  files: Readonly<Record<string, Uint8Array>>,
  folder: string,
): Map<string, number> {
  const old = files[names.added]
    ? parseJson(files[names.added] as Uint8Array, `${folder}/${names.added}`)
    : {};
  const listed = isObject(config.added_tokens_decoder) ? Object.entries(config.added_tokens_decoder) : [];
  const all: [unknown, unknown][] = [
    ...Object.entries(old),
    ...listed.map(([id, token]): [unknown, unknown] => [(token as Json | null)?.content, Number(id)]),
  ];
  return new Map(all.filter((x): x is [string, number] => typeof x[0] === 'string' && isCount(x[1])));
}

/**
 * Creates a tokenizer and checks its size. Errors about vocab.json or tokenizer.json name the file at `path`.
 */
function createSized(path: string, size: number, make: () => Tokenizer): Tokenizer {
  const tokenizer = withArea(path, make, ['vocab.json', 'tokenizer.json']);
  if (tokenizer.size > size)
    throw new HeddleError(msg`its largest id is ${tokenizer.size - 1}, the model has ${size} tokens`, {
      area: path,
    });
  return tokenizer;
}
