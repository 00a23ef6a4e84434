// Tokenizers for models without tokenizer files: single characters (from config.json), or ids as text.

import { check, HeddleError } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import { present } from '../../core/present.ts';
import { checkId, type SpecialIds, specialTokens, type Tokenizer, tokenizerJson } from './tokenizer.ts';

/** Options of `createCharacterTokenizer`. */
export interface CharacterTokenizerOptions {
  /** Character of each id; the characters at special ids are placeholders. */
  readonly characters: string;
  /** Vocabulary size; at least the number of characters. */
  readonly size: number;
  readonly special: SpecialIds;
  /** Id that starts every text, if the model was trained so. */
  readonly begin?: number;
}

/**
 * Creates a tokenizer of single characters without normalization. Unknown tokens are skipped in decoded text.
 * Throws a HeddleError if there are more characters than `size`, or a character occurs twice.
 */
export function createCharacterTokenizer({
  characters,
  size,
  special,
  begin,
}: CharacterTokenizerOptions): Tokenizer {
  const list = [...characters];
  check(list.length <= size, msg`${list.length} characters, the vocabulary has ${size} tokens`, {
    area: 'alphabet',
  });
  const roles = new Set<number>(
    present([...Object.values(special), begin === undefined ? undefined : begin]),
  );
  const ids = new Map<string, number>();
  // Characters at special ids are placeholders, at any id.
  const placeholders = new Set([...roles].map((id) => list[id]));
  for (const [id, character] of list.entries()) {
    if (roles.has(id) || placeholders.has(character)) continue;
    const other = ids.get(character);
    check(other === undefined, () => msg`"${character}" has the ids ${other} and ${id}; it must have one`, {
      area: 'alphabet',
    });
    ids.set(character, id);
  }
  const head = begin === undefined ? [] : [begin];
  const encode = (text: string): number[] =>
    text === '' ? [] : [...head, ...Array.from(text, (character) => ids.get(character) ?? special.unknown)];
  const token = (id: number): string => {
    checkId(id, size);
    const role = Object.values(special).indexOf(id);
    return role >= 0
      ? (specialTokens[role] as string)
      : roles.has(id)
        ? '[begin]'
        : (list[id] ?? `[unused${id}]`);
  };
  const decode = (ids: Iterable<number>): string => {
    let text = '';
    for (const id of ids) {
      checkId(id, size);
      if (!roles.has(id)) text += list[id] ?? '';
    }
    return text;
  };
  return {
    kind: 'char',
    size,
    special,
    begin,
    encode,
    decode,
    normalize: (text) => decode(encode(text)),
    token,
    toJSON: () =>
      tokenizerJson({
        decoder: { type: 'Fuse' },
        model: { ...modelJson('BPE', size, token, special), merges: [] },
      }),
  };
}

/** Creates a tokenizer whose text is ids separated by spaces, for models without a tokenizer. */
export function createIdTokenizer(size: number, special: SpecialIds): Tokenizer {
  const silent = new Set([special.pad, special.start, special.end]);
  const encode = (text: string): number[] =>
    text.split(/\s+/).flatMap((word) => {
      if (word === '') return [];
      const id = /^\d+$/.test(word) ? Number(word) : Number.NaN;
      if (!(id < size))
        throw new HeddleError(
          msg`"${word}" is not an id below ${size}; this model has no tokenizer, so its texts are ids separated by spaces`,
        );
      return [id];
    });
  const token = (id: number): string => {
    checkId(id, size);
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
    toJSON: () =>
      tokenizerJson({
        pre_tokenizer: { type: 'WhitespaceSplit' },
        model: modelJson('WordLevel', size, token, special),
      }),
  };
}

/**
 * The `model` of tokenizer.json, without the id that starts every text: that is in the model's configuration.
 */
const modelJson = (type: string, size: number, token: (id: number) => string, { unknown }: SpecialIds) => ({
  type,
  unk_token: token(unknown),
  vocab: Object.fromEntries(Array.from({ length: size }, (_, id) => [token(id), id])),
});
