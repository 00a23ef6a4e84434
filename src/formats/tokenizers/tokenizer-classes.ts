// The tokenizer classes of transformers that read a SentencePiece model, or bytes, with ids of their own.
// Each is a row: which file it reads, the ids of its pieces, further tokens, and the codes of its languages.

import { HeddleError } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import { isCount, isObject, type Json } from '../../files/json-files.ts';
import { readSentencePiece } from '../../text/sentencepiece/sentencepiece-model.ts';
import type { TokenRules } from '../../text/sentencepiece/sentencepiece-tokenizer.ts';
import { specialFields } from '../../text/tokenizers/tokenizer.ts';
import { bytesAsLetters } from './byte-level-bpe.ts';
import {
  m2m100Languages,
  mbart50Languages,
  mbartLanguages,
  nllbLanguages,
  wmt21Languages,
} from './language-codes.ts';

/** A tokenizer class of transformers. */
export interface TokenizerClass {
  /** The SentencePiece model; undefined: the tokenizer reads bytes. */
  readonly file?: string;
  /** Whether vocab.json has the ids of pieces. */
  readonly vocab?: true;
  /** Token id minus the number of its piece: fairseq_offset of transformers. Default 0. */
  offset?(config: Json): number;
  /** Tokens with fixed ids, which take precedence over pieces of the same text. */
  tokens?(config: Json): Readonly<Record<string, number>>;
  /** Tokens after the last piece, in order. */
  after?(config: Json): readonly string[];
  /**
   * Whether `legacy: false` in tokenizer_config.json means that text after a sentinel has no space mark
   * before it.
   */
  readonly legacy?: true;
  readonly languages?: LanguageTokens;
}

/** The language tokens of a class. */
export interface LanguageTokens {
  /** Matches the token of a language; its first group is the code. */
  readonly pattern: RegExp;
  /** Default source language. */
  readonly source: string;
  /**
   * Whether the token is after the end token instead of before the text; a translation then starts with it.
   */
  after?(config: Json): boolean;
}

const sentinels = (count: unknown, fallback: number): string[] =>
  Array.from({ length: countOf(count, fallback) }, (_, i) => `<extra_id_${i}>`);

const countOf = (value: unknown, fallback: number): number =>
  isCount(value) && value <= 1000 ? value : fallback;

/** The first ids of fairseq's vocabularies; SentencePiece numbers these pieces otherwise. */
const fairseq = {
  file: 'sentencepiece.bpe.model',
  offset: () => 1,
  tokens: () => ({ '<s>': 0, '<pad>': 1, '</s>': 2, '<unk>': 3 }),
};

const mbart = (codes: readonly string[], after: boolean): TokenizerClass => ({
  ...fairseq,
  after: () => [...codes, '<mask>'],
  languages: { pattern: /^([a-z]{2}_[A-Z]{2})$/, source: 'en_XX', after: () => after },
});

const m2m100Codes = (config: Json) => (config.language_codes === 'wmt21' ? wmt21Languages : m2m100Languages);

/** The classes by name. */
export const tokenizerClasses = {
  T5Tokenizer: {
    file: 'spiece.model',
    // <extra_id_0> is the last one.
    after: (config) => sentinels(config.extra_ids, 100).reverse(),
    legacy: true,
  },
  ByT5Tokenizer: { after: (config) => sentinels(config.extra_ids, 125) },
  PegasusTokenizer: {
    file: 'spiece.model',
    offset: (config) => countOf(config.offset, 103),
    tokens: (config) => {
      const offset = countOf(config.offset, 103);
      const masks = config.mask_token_sent === null || offset === 0 ? [] : ['<mask_1>', '<mask_2>'];
      const unknown = Array.from({ length: Math.max(0, offset - 2) }, (_, i) => `<unk_${i + 2}>`);
      return Object.fromEntries(['<pad>', '</s>', ...masks, ...unknown].map((token, id) => [token, id]));
    },
  },
  M2M100Tokenizer: {
    file: 'sentencepiece.bpe.model',
    vocab: true,
    after: (config) => m2m100Codes(config).map((code) => `__${code}__`),
    languages: { pattern: /^__([a-z]{2,3})__$/, source: 'en' },
  },
  NllbTokenizer: {
    ...fairseq,
    after: () => [...nllbLanguages, '<mask>'],
    languages: {
      pattern: /^([a-z]{3}_[A-Z][a-z]{3})$/,
      source: 'eng_Latn',
      after: (config) => config.legacy_behaviour === true,
    },
  },
  MBartTokenizer: mbart(mbartLanguages, true),
  MBart50Tokenizer: mbart(mbart50Languages, false),
} as const satisfies Record<string, TokenizerClass>;

/** Name of a tokenizer class. */
export type TokenizerClassName = keyof typeof tokenizerClasses;

/**
 * The vocabulary of a tokenizer. Its symbols are sentinels and masks, its hidden tokens languages and other
 * special ones.
 */
export interface ClassVocabulary extends TokenRules {
  /** Ids by token. */
  readonly vocab: Readonly<Record<string, number>>;
  readonly languages: LanguageFacts | undefined;
}

/** Language tokens of a tokenizer. */
export interface LanguageFacts {
  /** Ids by code, as `eng_Latn`. */
  readonly ids: ReadonlyMap<string, number>;
  /** Languages of source and target that the files state; the source has a default. */
  readonly source: string | undefined;
  readonly target: string | undefined;
  /**
   * Whether the token is after the end token instead of before the text; a translation then starts with it.
   */
  readonly after: boolean;
}

/** The languages of a class among tokens with their ids; undefined if there are none. */
export function languagesIn(
  { languages: kind }: TokenizerClass,
  config: Json,
  tokens: Iterable<readonly [token: string, id: number]>,
): LanguageFacts | undefined {
  const ids = new Map<string, number>();
  for (const [token, id] of tokens) {
    const code = kind?.pattern.exec(token)?.[1];
    if (code !== undefined) ids.set(code, id);
  }
  if (!kind || ids.size === 0) return undefined;
  const known = (code: unknown) => (ids.has(String(code)) ? String(code) : undefined);
  return {
    ids,
    source: known(config.src_lang) ?? known(kind.source),
    target: known(config.tgt_lang),
    after: kind.after?.(config) ?? false,
  };
}

const isSymbol = (token: string): boolean => /^<(extra_id_\d+|mask\w*)>$/.test(token);

/**
 * The vocabulary of a class: ids of the pieces of `file`, a SentencePiece model, or of `vocab`, a parsed
 * vocab.json, then of further tokens below `size`. `added`: the tokens in tokenizer_config.json and
 * added_tokens.json, whose ids take precedence. Throws a HeddleError that starts with `name` if the model is
 * invalid.
 */
export function classVocabulary(
  kind: TokenizerClass,
  config: Json,
  {
    file,
    vocab,
    added,
    size,
  }: { file: Uint8Array; vocab?: Json; added: ReadonlyMap<string, number>; size: number },
  name: string,
): ClassVocabulary {
  const ids = new Map<string, number>();
  const tokenOf = new Map<number, string>();
  const set = (token: string, id: number): void => {
    const before = ids.get(token);
    if (before !== undefined && tokenOf.get(before) === token) tokenOf.delete(before);
    const other = tokenOf.get(id);
    if (other !== undefined) ids.delete(other);
    ids.set(token, id);
    tokenOf.set(id, token);
  };
  const further = new Set<string>();
  const offset = kind.offset?.(config) ?? 0;
  let count: number;
  if (vocab) {
    for (const [token, id] of Object.entries(vocab)) {
      if (!Number.isSafeInteger(id))
        throw new HeddleError(msg`the id ${JSON.stringify(id)} of '${token}' is not a whole number`, {
          area: 'vocab.json',
        });
      ids.set(token, id as number);
      tokenOf.set(id as number, token);
    }
    if (tokenOf.size !== ids.size)
      throw new HeddleError('two tokens have the same id', { area: 'vocab.json' });
    count = ids.size;
  } else {
    const { pieces } = readSentencePiece(file, name);
    for (const [id, { text }] of pieces.entries()) set(text, id + offset);
    count = pieces.length;
  }
  const own = Object.entries(kind.tokens?.(config) ?? {});
  const after = (kind.after?.(config) ?? []).map((token, i): [string, number] => [token, count + offset + i]);
  for (const [token, id] of [...own, ...after, ...added]) {
    if (id >= size) continue;
    set(token, id);
    further.add(token);
  }
  const present = [...further].filter((token) => ids.has(token) && token !== '<unk>');
  return {
    vocab: Object.fromEntries(ids),
    symbols: present.filter(isSymbol),
    hidden: present.filter((token) => !isSymbol(token)),
    legacy: kind.legacy === undefined || config.legacy !== false,
    spaced: spacedTokens(config),
    languages: languagesIn(
      kind,
      config,
      present.map((token) => [token, ids.get(token) as number]),
    ),
  };
}

/**
 * Tokens that keep the spaces after them, as tokenizer_config.json says; T5's sentinels do not if it says
 * nothing.
 */
const spacedTokens = ({ added_tokens_decoder: added }: Json): string[] =>
  isObject(added)
    ? Object.values(added).flatMap((token) =>
        isObject(token) &&
        token.rstrip === false &&
        typeof token.content === 'string' &&
        isSymbol(token.content)
          ? [token.content]
          : [],
      )
    : [];

/** The tokenizer.json of ByT5: a token for each byte of UTF-8, from id 3 on, then the sentinels. */
export function byteTokenizerJson(config: Json, size: number): Json {
  const special = ['<pad>', '</s>', '<unk>'];
  const bytes = Array.from({ length: 256 }, (_, byte) => [bytesAsLetters([byte]), byte + special.length]);
  const after = tokenizerClasses.ByT5Tokenizer.after(config).map((content, i) => ({ content, id: 259 + i }));
  const level = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false };
  return {
    version: '1.0',
    added_tokens: [
      ...special.map((content, id) => ({ content, id })),
      ...after.filter(({ id }) => id < size),
    ].map((token) => ({ ...token, ...specialFields })),
    normalizer: null,
    pre_tokenizer: level,
    post_processor: null,
    decoder: level,
    model: {
      type: 'BPE',
      unk_token: '<unk>',
      vocab: Object.fromEntries([...special.map((token, id) => [token, id]), ...bytes]),
      merges: [],
    },
  };
}
