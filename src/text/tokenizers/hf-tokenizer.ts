// tokenizer.json files that other libraries made, run by Hugging Face's own @huggingface/tokenizers. Which of their tokens pad, start
// and end a text such a file does not say; the model's configuration does, and it is kept beside the rest under the key `heddle`.

import { Tokenizer as Library } from '@huggingface/tokenizers';
import { check, HeddleError } from '../../core/errors.ts';
import type { Json } from '../../core/records.ts';
import { maxTokens } from './bpe-merges.ts';
import { checkPatterns } from './safe-pattern.ts';
import type { SpecialIds, Tokenizer, TokenizerJson } from './tokenizer.ts';

/** How deep a file may nest; real ones have about ten levels. */
const maxDepth = 64;

/** What a model's configuration says of its tokenizer. */
export interface HfTokenizerOptions {
  readonly special: Omit<SpecialIds, 'unknown'> & { readonly unknown?: number };
  /** Tokens of the model where it has more than the vocabulary; those above stand for nothing. */
  readonly size?: number;
}

/** The special ids that a file of ours keeps under `heddle`; undefined in one that came from elsewhere. */
export function savedHfOptions(file: Json): HfTokenizerOptions | undefined {
  const kept = file.heddle as { special?: Json; size?: unknown } | undefined | null;
  if (typeof kept !== 'object' || kept === null) return undefined;
  const id = (name: string, value: unknown): number => {
    const good = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= maxTokens;
    check(good, `tokenizer.json: heddle.${name} is ${JSON.stringify(value)}, it must be a whole number`);
    return value;
  };
  const special: Json = typeof kept.special === 'object' && kept.special !== null ? kept.special : {};
  const [pad, start, end, unknown] = ['pad', 'start', 'end', 'unknown'].map((name) =>
    id(`special.${name}`, special[name]),
  );
  return { special: { pad, start, end, unknown } as SpecialIds, size: id('size', kept.size) };
}

/**
 * A tokenizer of a parsed tokenizer.json of any kind that @huggingface/tokenizers reads. Texts are encoded without what its
 * post-processor adds. Throws a HeddleError for one that the library cannot read, and for special ids outside the vocabulary.
 */
export function createHfTokenizer(file: Json, { special, size }: HfTokenizerOptions): Tokenizer {
  check(depthOf(file) <= maxDepth, `tokenizer.json: it nests deeper than ${maxDepth} levels`);
  const { model: _, added_tokens: __, ...rules } = file;
  checkPatterns(rules, 'tokenizer.json');
  const known = countTokens(file);
  const named = <T>(what: string, work: () => T): T => {
    try {
      return work();
    } catch (error) {
      if (error instanceof HeddleError) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new HeddleError(`tokenizer.json: the tokenizer cannot ${what}: ${why}`, { cause: error });
    }
  };
  const library = named('be read', () => new Library(file, {}));
  const total = Math.max(known, size ?? 0);
  const unknownId = special.unknown ?? library.model?.unk_token_id ?? special.pad;
  const all: SpecialIds = { ...special, unknown: unknownId };
  for (const [role, id] of Object.entries(all))
    check(
      Number.isInteger(id) && id >= 0 && id < total,
      `tokenizer.json: the ${role} token has the id ${id}, the vocabulary has ${total} tokens`,
    );
  const silent = new Set([all.pad, all.start, all.end]);
  const token = (id: number): string => {
    check(
      Number.isInteger(id) && id >= 0 && id < total,
      `tokenizer: no token has the id ${id}; ids go from 0 to ${total - 1}`,
    );
    return library.id_to_token(id) ?? `[unused${id}]`;
  };
  const encode = (text: string): number[] =>
    text === ''
      ? []
      : named('encode a text', () => library.encode(text, { add_special_tokens: false }).ids).map((id) =>
          Number.isInteger(id) && id >= 0 && id < total && !silent.has(id) ? id : all.unknown,
        );
  const decode = (some: Iterable<number>): string => {
    const spoken = [...some].filter((id) => {
      token(id);
      return !silent.has(id) && library.id_to_token(id) !== undefined;
    });
    if (spoken.length === 0) return '';
    return named('decode ids', () =>
      library.decode(spoken, { skip_special_tokens: false, clean_up_tokenization_spaces: false }),
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
 * One past the largest id of the vocabulary and the added tokens. The library lays tokens out by id and believes any, so each is
 * checked here first.
 */
function countTokens(file: Json): number {
  const { model, added_tokens: added = [] } = file;
  check(typeof model === 'object' && model !== null, 'tokenizer.json: no model in it; this is not a tokenizer file');
  const { type, vocab, merges = [] } = model as Json;
  check(type === 'BPE' || type === 'Unigram' || type === 'WordPiece', () => {
    return `tokenizer.json: the model ${JSON.stringify(type)} is not one of BPE, Unigram, WordPiece`;
  });
  check(typeof vocab === 'object' && vocab !== null, `tokenizer.json: the ${type} model has no vocab`);
  check(
    Array.isArray(vocab) === (type === 'Unigram'),
    `tokenizer.json: the vocab of the ${type} model is of another kind`,
  );
  check(Array.isArray(merges), 'tokenizer.json: the merges are no list');
  check(merges.length <= maxTokens, `tokenizer.json: ${merges.length} merges, at most ${maxTokens} are read`);
  check(Array.isArray(added), 'tokenizer.json: the added_tokens are no list');
  const owner = new Map<number, string>();
  const take = (token: unknown, id: unknown, twice: boolean): void => {
    const good = typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < maxTokens;
    check(typeof token === 'string', () => `tokenizer.json: the token ${JSON.stringify(token)} is no text`);
    check(good, () => `tokenizer.json: the id ${JSON.stringify(id)} of '${token}' is not from 0 to ${maxTokens - 1}`);
    const other = owner.get(id);
    check(
      other === undefined || (twice && other === token),
      () => `tokenizer.json: '${other}' and '${token}' have the same id ${id}`,
    );
    owner.set(id, token);
  };
  if (Array.isArray(vocab))
    for (const [id, entry] of vocab.entries()) take(Array.isArray(entry) ? entry[0] : entry, id, false);
  else for (const [token, id] of Object.entries(vocab)) take(token, id, false);
  for (const entry of added as unknown[]) take((entry as Json | null)?.content, (entry as Json | null)?.id, true);
  return [...owner.keys()].reduce((most, id) => Math.max(most, id + 1), 0);
}

/** How deep a value nests, as far as `maxDepth` + 1: without recursion, since a hostile file nests as deep as it is long. */
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
