// What a caller demands of translations as text: words that they never contain, and a prefix with which they
// begin. Here they become token ids; next-token.ts applies these. Loaded only by calls that have such options.

import { check, HeddleError } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { innerIds, openIds, phraseIds } from '../text/tokenizers/phrase-ids.ts';
import type { Tokenizer } from '../text/tokenizers/tokenizer.ts';
import type { DecodeOptions, ModelRules } from './decode-options.ts';
import type { SourceTexts } from './source-texts.ts';
import type { TextOptions } from './text-options.ts';
import type { ForcedPrefixes } from './token-rules.ts';

/**
 * The token sequences of words: every token that is the word, and its tokens at the start and inside of a
 * sentence. Throws a HeddleError if the vocabulary does not have a word.
 */
export function badWordsIds(target: Tokenizer, words: readonly string[]): (readonly number[])[] {
  const wanted = words.map((word) => word.trim()).filter((word) => word !== '');
  const tokens = new Map(wanted.map((word) => [word, [] as number[][]]));
  if (wanted.length > 0)
    for (let id = 0; id < target.size; id++) tokens.get(target.decode([id]).trim())?.push([id]);
  return wanted.flatMap((word) => {
    const { unknown } = target.special;
    const sequences = [innerIds(target, word), phraseIds(target, word)].filter(
      (ids) => ids.length > 0 && !ids.includes(unknown),
    );
    const all = new Map([...(tokens.get(word) ?? []), ...sequences].map((ids) => [ids.join(), ids]));
    if (all.size === 0)
      throw new HeddleError(msg`"${word}" is not in the vocabulary of the model; leave it out`, {
        area: 'badWords',
      });
    return [...all.values()];
  });
}

/** The prefix of each text; one string is that of all texts. Throws a HeddleError if their number differs. */
function prefixesOf(prefix: string | readonly string[], texts: number): readonly string[] {
  if (typeof prefix === 'string') return new Array<string>(texts).fill(prefix);
  check(
    Array.isArray(prefix) && prefix.every((text) => typeof text === 'string'),
    'give a text, or a list with one for each text',
    { area: 'prefix' },
  );
  check(prefix.length === texts, msg`${prefix.length} prefixes for ${texts} texts`, { area: 'prefix' });
  return prefix;
}

/** Throws a HeddleError if a text that translations must have contains one that they must not have. */
function checkAgree(badWords: readonly string[], wanted: readonly string[], option: string): void {
  for (const text of wanted) {
    const bad = badWords.find((word) => word.trim() !== '' && ` ${text} `.includes(` ${word.trim()} `));
    if (bad !== undefined)
      throw new HeddleError(
        msg`"${bad}" is a part of "${text.slice(0, 60)}" in ${option}; leave one of them out`,
        { area: 'badWords' },
      );
  }
}

/** The ids of a prefix. Throws a HeddleError if the vocabulary lacks a part of it, or it leaves no room. */
function prefixIds(target: Tokenizer, text: string, before: readonly number[], room: number): number[] {
  // A model may force the token with which every text begins.
  const own = target.begin === before[0] ? innerIds : openIds;
  const ids = text === '' ? [...before] : [...before, ...own(target, text)];
  if (ids.includes(target.special.unknown))
    throw new HeddleError(msg`the vocabulary of the model has no tokens for all of "${text}"`, {
      area: 'prefix',
    });
  if (ids.length >= room)
    throw new HeddleError(
      msg`"${text.slice(0, 60)}" has ${ids.length} tokens; a translation has at most ${room}, its end included`,
      { area: 'prefix' },
    );
  return ids;
}

/**
 * The prefixes of the translations of texts, by the ids of their sources; undefined if all are empty. `first`: token
 * that the model forces before. `room`: maximum number of tokens of a translation. Throws a HeddleError if a
 * prefix has no tokens or leaves no room. `texts`: number of texts of the call; `full`: the index of the text of each source.
 */
function forcedPrefixes(
  target: Tokenizer,
  prefix: string | readonly string[],
  sources: readonly ArrayLike<number>[],
  { texts, full, first = -1, room }: { texts: number; full: readonly number[]; first?: number; room: number },
): ForcedPrefixes | undefined {
  const given = prefixesOf(prefix, texts);
  const before = first < 0 ? [] : [first];
  const bySource = new Map(
    sources.map((ids, k) => [ids, prefixIds(target, given[full[k] as number] as string, before, room)]),
  );
  const length = Math.max(0, ...[...bySource.values()].map((ids) => ids.length));
  if (length <= before.length) return undefined;
  return {
    length,
    write(rules, places, rows) {
      // The last numbers of the rules, [places, rows, width]; they were filled with -1.
      const width = 2 ** Math.ceil(Math.log2(length));
      const start = rules.length - places.length * rows * width;
      for (const [i, source] of places.entries())
        for (let k = 0; k < rows; k++)
          rules.set((source && bySource.get(source)) ?? [], start + (i * rows + k) * width);
    },
  };
}

/**
 * The decoding options of a call with the sequences of its `badWords`, and the prefixes of its texts. Throws a
 * HeddleError if a list is no list of texts, texts contradict each other, or the vocabulary lacks one.
 */
export function constrained(
  options: DecodeOptions,
  { encoded, full }: Pick<SourceTexts, 'encoded' | 'full'>,
  { badWords = [], prefix, phrases = [] }: Pick<TextOptions, 'badWords' | 'prefix' | 'phrases'>,
  {
    config,
    target,
    decode: rules,
  }: { readonly config: ModelConfig; readonly target: Tokenizer; readonly decode?: ModelRules },
): { decode: DecodeOptions; prefixes?: ForcedPrefixes } {
  check(
    Array.isArray(badWords) && badWords.every((word) => typeof word === 'string'),
    'give a list of texts',
    { area: 'badWords' },
  );
  checkAgree(badWords, prefix === undefined ? [] : [prefix].flat(), 'prefix');
  checkAgree(
    badWords,
    phrases.flat().map((phrase) => (typeof phrase === 'string' ? phrase : phrase.text)),
    'phrases',
  );
  let decode = options;
  if (badWords.length > 0)
    decode = { ...decode, badWordsIds: [...(options.badWordsIds ?? []), ...badWordsIds(target, badWords)] };
  const { forcedBosTokenId: first = rules?.forcedBosTokenId, maxNewTokens: room = config.maxLength } = decode;
  const sources = full.map((i) => encoded[i] as number[]);
  const given = { texts: encoded.length, full, first, room };
  const prefixes = prefix ? forcedPrefixes(target, prefix, sources, given) : undefined;
  // A forced token leaves one beam, and beams that shrink would not grow again.
  const isBeam = (decode.method ?? ((decode.beams ?? 1) > 1 ? 'beam' : 'greedy')) === 'beam';
  if (prefixes && isBeam && (decode.earlyStopping ?? rules?.earlyStopping) === 'shrink')
    decode = { ...decode, earlyStopping: false };
  return { decode, prefixes };
}
