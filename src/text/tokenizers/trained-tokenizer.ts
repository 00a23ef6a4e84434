// Reads the tokenizer.json of a tokenizer that heddle trained. Any other file is an error that names the
// unsupported component.

import { check, HeddleError } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import { isObject, type Json } from '../../files/json-files.ts';
import { maxTokens } from './bpe-merges.ts';
import { normalizerJson, piecesJson, type TokenizerKind } from './normalization.ts';
import { createTokenizer, specialTokens, type Tokenizer } from './tokenizer.ts';

const typeOf = (x: unknown): string =>
  isObject(x) ? String(x.type) : x === null || x === undefined ? 'none' : 'broken';

/** The type of a component, with the types in a sequence, for messages. */
const parts = (x: unknown): string => {
  const list = isObject(x) ? (x.normalizers ?? x.pretokenizers ?? x.decoders) : undefined;
  return Array.isArray(list) ? `${typeOf(x)}(${list.map(typeOf).join(', ')})` : typeOf(x);
};

/** Deep equality of JSON values. */
function equal(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((x, i) => equal(x, b[i]));
  if (!isObject(a) || !isObject(b)) return a === b;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => equal(a[key], b[key]));
}

/**
 * Loads a tokenizer that heddle trained. Throws a HeddleError if the file is invalid, or names a model,
 * normalizer, pre-tokenizer, decoder or post-processor that heddle does not write.
 */
export function loadTrainedTokenizer(file: Json & { readonly model: Json }): Tokenizer {
  const { model } = file;
  const reject = (part: string, component: unknown): never => {
    throw new HeddleError(msg`the ${part} ${parts(component)} is not supported: heddle does not write it`, {
      area: 'tokenizer.json',
    });
  };
  if (model.type !== 'BPE' && model.type !== 'WordPiece') reject('model', model);
  const isSplit = file.pre_tokenizer !== null && file.pre_tokenizer !== undefined;
  const kind: TokenizerKind = model.type === 'WordPiece' ? 'word' : isSplit ? 'bpe' : 'char';
  const lowercase = JSON.stringify(file.normalizer ?? null).includes('"Lowercase"');
  const expected = piecesJson(kind);
  if (!equal(file.pre_tokenizer ?? null, expected.pre_tokenizer)) reject('pre-tokenizer', file.pre_tokenizer);
  if (!equal(file.normalizer, normalizerJson(lowercase))) reject('normalizer', file.normalizer);
  if (!equal(file.decoder, expected.decoder)) reject('decoder', file.decoder);
  const processor = file.post_processor as Json | null | undefined;
  if (processor && !equal(processor.single, endTemplate)) reject('post-processor', processor);
  const plain = { continuing_subword_prefix: kind === 'word' ? '##' : null, unk_token: specialTokens[3] };
  for (const [key, value] of Object.entries(plain))
    check((model[key] ?? null) === value, msg`${key} ${JSON.stringify(model[key])} is not supported`, {
      area: 'tokenizer.json',
    });
  for (const key of ['dropout', 'end_of_word_suffix', 'fuse_unk', 'byte_fallback', 'ignore_merges'])
    check(!model[key], msg`${key} ${JSON.stringify(model[key])} is not supported`, {
      area: 'tokenizer.json',
    });
  const vocab = readVocab(model.vocab);
  if (kind === 'word') {
    const piece = vocab.find((token) => token.startsWith('##'));
    check(piece === undefined, msg`WordPiece with continuation tokens ('${piece ?? ''}') is not supported`, {
      area: 'tokenizer.json',
    });
  }
  return createTokenizer({ kind, lowercase, vocab, merges: kind === 'word' ? [] : readMerges(model.merges) });
}

const partOf = (kind: string, id: string) => ({ [kind]: { id, type_id: 0 } });
/**
 * `single` of the post-processor that only adds the end token, as exports for transformers have it: heddle adds it
 * by itself.
 */
const endTemplate = [partOf('Sequence', 'A'), partOf('SpecialToken', specialTokens[2])];

/** Tokens by id. The ids must be 0 to n - 1, each once. */
function readVocab(vocab: unknown): string[] {
  check(isObject(vocab), 'the model has no vocab', { area: 'tokenizer.json' });
  const entries = Object.entries(vocab);
  check(entries.length <= maxTokens, msg`${entries.length} tokens, the maximum is ${maxTokens}`, {
    area: 'tokenizer.json',
  });
  const out: (string | undefined)[] = Array(entries.length).fill(undefined);
  for (const [token, id] of entries) {
    const known = Number.isInteger(id) && (id as number) >= 0 && (id as number) < entries.length;
    check(known, msg`the id ${JSON.stringify(id)} of '${token}' is not from 0 to ${entries.length - 1}`, {
      area: 'tokenizer.json',
    });
    const other = out[id as number];
    check(other === undefined, msg`'${other}' and '${token}' have the same id ${String(id)}`, {
      area: 'tokenizer.json',
    });
    out[id as number] = token;
  }
  return out as string[];
}

/** Merges as pairs, or in the older form `a b`. */
function readMerges(merges: unknown): [string, string][] {
  check(Array.isArray(merges), 'the BPE model has no merges', { area: 'tokenizer.json' });
  check(merges.length <= maxTokens, msg`${merges.length} merges, the maximum is ${maxTokens}`, {
    area: 'tokenizer.json',
  });
  return merges.map((merge: unknown, i) => {
    const pair = typeof merge === 'string' ? merge.split(' ') : merge;
    const good = Array.isArray(pair) && pair.length === 2 && pair.every((x) => typeof x === 'string');
    check(good, msg`merge ${i} is ${JSON.stringify(merge)}, it must be two tokens`, {
      area: 'tokenizer.json',
    });
    return pair as [string, string];
  });
}
