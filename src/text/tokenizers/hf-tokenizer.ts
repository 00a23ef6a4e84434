// Tokenizers in Hugging Face's tokenizer.json, run by @huggingface/tokenizers. The file does not state which
// tokens are padding, start and end; they come from the model's configuration and are saved under the key
// `heddle`.

import { Tokenizer as Library } from '@huggingface/tokenizers';
import { check, HeddleError, messageOf } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import { isCount, type Json } from '../../files/json-files.ts';
import { maxTokens } from './bpe-merges.ts';
import { checkPatterns } from './safe-pattern.ts';
import { checkId, type SpecialIds, type Tokenizer, type TokenizerJson } from './tokenizer.ts';

/** Maximum nesting depth; real files have about ten levels. */
const maxDepth = 64;

/** Facts from the model's configuration about its tokenizer. */
export interface HfTokenizerOptions {
  readonly special: Omit<SpecialIds, 'unknown'> & { readonly unknown?: number };
  /** Vocabulary size of the model, if larger than the tokenizer's; the extra tokens are unused. */
  readonly size?: number;
}

/** The options that heddle saved in a file under `heddle`; undefined if heddle did not save it. */
export function savedHfOptions(file: Json): HfTokenizerOptions | undefined {
  const saved = file.heddle as { special?: Json; size?: unknown } | undefined | null;
  if (typeof saved !== 'object' || saved === null) return undefined;
  const id = (name: string, value: unknown): number => {
    const good = isCount(value) && value <= maxTokens;
    check(good, msg`heddle.${name} is ${JSON.stringify(value)}, it must be a whole number`, {
      area: 'tokenizer.json',
    });
    return value;
  };
  const special: Json = typeof saved.special === 'object' && saved.special !== null ? saved.special : {};
  const [pad, start, end, unknown] = ['pad', 'start', 'end', 'unknown'].map((name) =>
    id(`special.${name}`, special[name]),
  );
  return { special: { pad, start, end, unknown } as SpecialIds, size: id('size', saved.size) };
}

/**
 * Creates a tokenizer from a parsed tokenizer.json. Text is encoded without the special tokens of its
 * post-processor. Throws a HeddleError if @huggingface/tokenizers cannot load it, or a special id is outside
 * the vocabulary.
 */
export function createHfTokenizer(file: Json, { special, size }: HfTokenizerOptions): Tokenizer {
  check(depthOf(file) <= maxDepth, msg`nesting is deeper than ${maxDepth} levels`, {
    area: 'tokenizer.json',
  });
  const { model: _, added_tokens: __, ...rules } = file;
  checkPatterns(rules, 'tokenizer.json');
  const known = countTokens(file);
  const named = <T>(action: string, work: () => T): T => {
    try {
      return work();
    } catch (error) {
      if (error instanceof HeddleError) throw error;
      const reason = messageOf(error);
      throw new HeddleError(msg`the tokenizer cannot ${action}: ${reason}`, {
        area: 'tokenizer.json',
        cause: error,
      });
    }
  };
  const library = named('be read', () => new Library(file, {}));
  const total = Math.max(known, size ?? 0);
  const unknownId = special.unknown ?? library.model?.unk_token_id ?? special.pad;
  const all: SpecialIds = { ...special, unknown: unknownId };
  for (const [role, id] of Object.entries(all))
    check(
      Number.isInteger(id) && id >= 0 && id < total,
      msg`the ${role} token has the id ${id}, the vocabulary has ${total} tokens`,
      { area: 'tokenizer.json' },
    );
  const silent = new Set([all.pad, all.start, all.end]);
  const token = (id: number): string => {
    checkId(id, total);
    return library.id_to_token(id) ?? `[unused${id}]`;
  };
  const encode = (text: string): number[] =>
    text === ''
      ? []
      : named('encode a text', () => library.encode(text, { add_special_tokens: false }).ids).map((id) =>
          Number.isInteger(id) && id >= 0 && id < total && !silent.has(id) ? id : all.unknown,
        );
  const decode = (ids: Iterable<number>): string => {
    const visible = [...ids].filter((id) => {
      token(id);
      return !silent.has(id) && library.id_to_token(id) !== undefined;
    });
    if (visible.length === 0) return '';
    return named('decode ids', () =>
      library.decode(visible, { skip_special_tokens: false, clean_up_tokenization_spaces: false }),
    );
  };
  return {
    kind: 'huggingface',
    size: total,
    special: all,
    encode,
    decode,
    token,
    normalize: (text) => decode(encode(text)),
    toJSON: () => ({ ...file, heddle: { special: all, size: total } }) as unknown as TokenizerJson,
  };
}

/**
 * Number of tokens: the largest id of vocabulary and added tokens, plus one. Checks each id, since the
 * library does not.
 */
function countTokens(file: Json): number {
  const { model, added_tokens: added = [] } = file;
  check(typeof model === 'object' && model !== null, 'the field model is missing', {
    area: 'tokenizer.json',
  });
  const { type, vocab, merges = [] } = model as Json;
  check(
    type === 'BPE' || type === 'Unigram' || type === 'WordPiece',
    () => msg`the model ${JSON.stringify(type)} is not one of BPE, Unigram, WordPiece`,
    { area: 'tokenizer.json' },
  );
  check(typeof vocab === 'object' && vocab !== null, msg`the ${type} model has no vocab`, {
    area: 'tokenizer.json',
  });
  check(
    Array.isArray(vocab) === (type === 'Unigram'),
    msg`the vocab of the ${type} model must be ${type === 'Unigram' ? 'a list' : 'an object'}`,
    { area: 'tokenizer.json' },
  );
  check(Array.isArray(merges), 'merges is not a list', { area: 'tokenizer.json' });
  check(merges.length <= maxTokens, msg`${merges.length} merges, the maximum is ${maxTokens}`, {
    area: 'tokenizer.json',
  });
  check(Array.isArray(added), 'added_tokens is not a list', { area: 'tokenizer.json' });
  const owner = new Map<number, string>();
  const take = (token: unknown, id: unknown, twice: boolean): void => {
    const good = typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < maxTokens;
    check(typeof token === 'string', () => msg`the token ${JSON.stringify(token)} is not a string`, {
      area: 'tokenizer.json',
    });
    check(good, () => msg`the id ${JSON.stringify(id)} of '${token}' is not from 0 to ${maxTokens - 1}`, {
      area: 'tokenizer.json',
    });
    const other = owner.get(id);
    check(
      other === undefined || (twice && other === token),
      () => msg`'${other}' and '${token}' have the same id ${id}`,
      { area: 'tokenizer.json' },
    );
    owner.set(id, token);
  };
  if (Array.isArray(vocab))
    for (const [id, entry] of vocab.entries()) take(Array.isArray(entry) ? entry[0] : entry, id, false);
  else for (const [token, id] of Object.entries(vocab)) take(token, id, false);
  for (const entry of added as unknown[])
    take((entry as Json | null)?.content, (entry as Json | null)?.id, true);
  return [...owner.keys()].reduce((max, id) => Math.max(max, id + 1), 0);
}

/**
 * Nesting depth of a value, up to `maxDepth` + 1. Iterative: a malicious file may nest deeper than the call
 * stack.
 */
function depthOf(value: unknown): number {
  let level: unknown[] = [value];
  let depth = 0;
  while (level.length > 0 && depth <= maxDepth) {
    level = level
      .flatMap((x) => (typeof x === 'object' && x !== null ? Object.values(x) : []))
      .filter((x) => typeof x === 'object');
    depth++;
  }
  return depth;
}
