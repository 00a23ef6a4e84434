// Reading back the tokenizer.json files that heddle writes, without a library. Those that were made elsewhere go on to their own
// readers where it is known which tokens are special; else they are refused by the name of what they hold.
import { check, HeddleError } from '../core/errors.ts';
import { isObject } from '../core/records.ts';
import { loadSentencePieceTokenizer, sentencePieceModelType } from './sentencepiece/sentencepiece-tokenizer.ts';
import { maxTokens } from './tokenizers/bpe-merges.ts';
import { createHfTokenizer, savedHfOptions } from './tokenizers/hf-tokenizer.ts';
import { decoderJson, normalizerJson, preTokenizerJson, type TextRules } from './tokenizers/normalization.ts';
import { createTokenizer, specialTokens, type Tokenizer, type TokenizerKind } from './tokenizers/tokenizer.ts';

const typeOf = (x: unknown): string =>
  isObject(x) ? String(x.type) : x === null || x === undefined ? 'none' : 'broken';

/** The names of a sequence's parts, for messages. */
const parts = (x: unknown): string => {
  const list = isObject(x) ? (x.normalizers ?? x.pretokenizers ?? x.decoders) : undefined;
  return Array.isArray(list) ? `${typeOf(x)}(${list.map(typeOf).join(', ')})` : typeOf(x);
};

/** Equality of JSON values, whatever the order of keys. */
function same(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((x, i) => same(x, b[i]));
  if (!isObject(a) || !isObject(b)) return a === b;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => same(a[key], b[key]));
}

/**
 * A tokenizer of a tokenizer.json that a heddle model has, as text or parsed. Throws a HeddleError for what is not one, and, unless
 * the file says which of its tokens are special, for every model, normalizer, pre-tokenizer, decoder or post-processor that heddle
 * itself does not make, with its name.
 */
export function loadTokenizer(json: unknown): Tokenizer {
  const file = typeof json === 'string' ? parse(json) : json;
  check(isObject(file) && isObject(file.model), 'tokenizer.json: no model in it; this is not a tokenizer file');
  const { model } = file;
  if (model.type === sentencePieceModelType) return loadSentencePieceTokenizer(model);
  const kept = savedHfOptions(file);
  if (kept) return createHfTokenizer(file, kept);
  const refuse = (part: string, found: unknown): never => {
    throw new HeddleError(
      `tokenizer.json: the ${part} ${parts(found)} is not one that heddle writes, and is not supported here`,
    );
  };
  if (model.type !== 'BPE' && model.type !== 'WordPiece') refuse('model', model);
  const rules = readRules(file.pre_tokenizer, file.normalizer);
  if (rules === undefined || !same(file.pre_tokenizer ?? null, preTokenizerJson(rules)))
    return refuse('pre-tokenizer', file.pre_tokenizer);
  if (!same(file.normalizer, normalizerJson(rules))) refuse('normalizer', file.normalizer);
  if (!same(file.decoder, decoderJson(rules))) refuse('decoder', file.decoder);
  if (file.post_processor !== null && file.post_processor !== undefined) refuse('post-processor', file.post_processor);
  const kind: TokenizerKind = model.type === 'WordPiece' ? 'word' : rules.pieces === 'none' ? 'char' : 'bpe';
  const plain = { continuing_subword_prefix: kind === 'word' ? '##' : null, unk_token: specialTokens[3] };
  for (const [key, value] of Object.entries(plain))
    check((model[key] ?? null) === value, `tokenizer.json: ${key} ${JSON.stringify(model[key])} is not supported here`);
  for (const key of ['dropout', 'end_of_word_suffix', 'fuse_unk', 'byte_fallback', 'ignore_merges'])
    check(!model[key], `tokenizer.json: ${key} ${JSON.stringify(model[key])} is not supported here`);
  const vocab = readVocab(model.vocab);
  if (kind === 'word') {
    const piece = vocab.find((token) => token.startsWith('##'));
    check(piece === undefined, `tokenizer.json: WordPiece with pieces inside words ('${piece}') is not supported here`);
  }
  return createTokenizer({ kind, rules, vocab, merges: kind === 'word' ? [] : readMerges(model.merges) });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new HeddleError(`tokenizer.json: not JSON (${(error as Error).message})`);
  }
}

/** The rules that could have made these parts; whether they did is for the caller to compare. */
function readRules(preTokenizer: unknown, normalizer: unknown): TextRules | undefined {
  const text = JSON.stringify(normalizer ?? null);
  const lowercase = text.includes('"Lowercase"');
  if (preTokenizer === null || preTokenizer === undefined) return { lowercase, pieces: 'none', digits: 1 };
  const digits = /\{1,(\d+)\}/.exec(JSON.stringify(preTokenizer));
  if (digits !== null) return { lowercase, pieces: 'apart', digits: Number(digits[1]) };
  return typeOf(preTokenizer) === 'Sequence' ? { lowercase, pieces: 'strip', digits: 1 } : undefined;
}

/** Tokens by id; ids must be 0 to n - 1, each once. */
function readVocab(vocab: unknown): string[] {
  check(isObject(vocab), 'tokenizer.json: the model has no vocab');
  const entries = Object.entries(vocab);
  check(entries.length <= maxTokens, `tokenizer.json: ${entries.length} tokens, at most ${maxTokens} are read`);
  const out: (string | undefined)[] = Array(entries.length).fill(undefined);
  for (const [token, id] of entries) {
    const known = Number.isInteger(id) && (id as number) >= 0 && (id as number) < entries.length;
    check(known, `tokenizer.json: the id ${JSON.stringify(id)} of '${token}' is not from 0 to ${entries.length - 1}`);
    const other = out[id as number];
    check(other === undefined, `tokenizer.json: '${other}' and '${token}' have the same id ${id}`);
    out[id as number] = token;
  }
  return out as string[];
}

/** Merges as pairs, or as older files write them, `a b`. */
function readMerges(merges: unknown): [string, string][] {
  check(Array.isArray(merges), 'tokenizer.json: the BPE model has no merges');
  check(merges.length <= maxTokens, `tokenizer.json: ${merges.length} merges, at most ${maxTokens} are read`);
  return merges.map((merge: unknown, i) => {
    const pair = typeof merge === 'string' ? merge.split(' ') : merge;
    const good = Array.isArray(pair) && pair.length === 2 && pair.every((x) => typeof x === 'string');
    check(good, `tokenizer.json: merge ${i} is ${JSON.stringify(merge)}, it must be two tokens`);
    return pair as [string, string];
  });
}
