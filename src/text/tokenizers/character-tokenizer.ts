// Tokenizers that are a list of characters, each at its id, as small models of letters have them in their configuration; and those
// of models that come without a tokenizer: their text is the ids themselves.

import { check, HeddleError } from '../../core/errors.ts';
import { type SpecialIds, specialTokens, type Tokenizer, type TokenizerJson } from './tokenizer.ts';

/** What an alphabet is. */
export interface CharacterTokenizerOptions {
  /** The character of each id; those at the ids of special tokens stand for nothing. */
  readonly characters: string;
  /** Tokens of the vocabulary, which may be more than characters. */
  readonly size: number;
  readonly special: SpecialIds;
  /** An id that every text begins with, where the model was trained so. */
  readonly begin?: number;
}

/**
 * A tokenizer of single characters, as they stand: no normal form, no case. Other characters are unknown, and unknown tokens are
 * silent in decoded text. Throws a HeddleError where the characters are too many, or one comes twice.
 */
export function createCharacterTokenizer({ characters, size, special, begin }: CharacterTokenizerOptions): Tokenizer {
  const list = [...characters];
  check(list.length <= size, `alphabet: ${list.length} characters, the vocabulary has ${size} tokens`);
  const roles = new Set<number>([...Object.values(special), ...(begin === undefined ? [] : [begin])]);
  const ids = new Map<string, number>();
  // What stands at the ids of special tokens holds a place, there and anywhere else.
  const places = new Set([...roles].map((id) => list[id]));
  for (const [id, character] of list.entries()) {
    if (roles.has(id) || places.has(character)) continue;
    const other = ids.get(character);
    check(other === undefined, () => `alphabet: "${character}" stands at ${other} and at ${id}; it must have one id`);
    ids.set(character, id);
  }
  const head = begin === undefined ? [] : [begin];
  const encode = (text: string): number[] =>
    text === '' ? [] : [...head, ...Array.from(text, (character) => ids.get(character) ?? special.unknown)];
  const token = (id: number): string => {
    inRange(id, size);
    const role = Object.values(special).indexOf(id);
    return role >= 0 ? (specialTokens[role] as string) : roles.has(id) ? '[begin]' : (list[id] ?? `[unused${id}]`);
  };
  const decode = (some: Iterable<number>): string => {
    let text = '';
    for (const id of some) {
      inRange(id, size);
      if (!roles.has(id)) text += list[id] ?? '';
    }
    return text;
  };
  return {
    kind: 'char',
    size,
    special,
    encode,
    decode,
    normalize: (text) => decode(encode(text)),
    token,
    toJSON: () => tokenizerJson(size, token, special, 'BPE', null),
  };
}

/** A tokenizer whose text is ids with spaces between, for models without one. */
export function createIdTokenizer(size: number, special: SpecialIds): Tokenizer {
  const silent = new Set([special.pad, special.start, special.end]);
  const encode = (text: string): number[] =>
    text.split(/\s+/).flatMap((word) => {
      if (word === '') return [];
      const id = /^\d+$/.test(word) ? Number(word) : Number.NaN;
      if (!(id < size))
        throw new HeddleError(
          `"${word}" is not an id below ${size}; this model has no tokenizer, so its texts are ids with spaces between`,
        );
      return [id];
    });
  const token = (id: number): string => {
    inRange(id, size);
    return String(id);
  };
  const decode = (ids: Iterable<number>): string =>
    Array.from(ids)
      .filter((id) => !silent.has(id))
      .map(token)
      .join(' ');
  return {
    kind: 'word',
    size,
    special,
    encode,
    decode,
    normalize: (text) => decode(encode(text)),
    token,
    toJSON: () => tokenizerJson(size, token, special, 'WordLevel', { type: 'WhitespaceSplit' }),
  };
}

const inRange = (id: number, size: number): void =>
  check(
    Number.isInteger(id) && id >= 0 && id < size,
    `tokenizer: no token has the id ${id}; ids go from 0 to ${size - 1}`,
  );

/** The same as Hugging Face's tokenizer.json, as near as its parts come: what stands before a text is left to the model's configuration. */
function tokenizerJson(
  size: number,
  token: (id: number) => string,
  { unknown }: SpecialIds,
  type: 'BPE' | 'WordLevel',
  preTokenizer: unknown,
): TokenizerJson {
  const vocab = Object.fromEntries(Array.from({ length: size }, (_, id) => [token(id), id]));
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: preTokenizer,
    post_processor: null,
    decoder: type === 'BPE' ? { type: 'Fuse' } : null,
    model: { type, unk_token: token(unknown), vocab, ...(type === 'BPE' && { merges: [] }) },
  };
}
