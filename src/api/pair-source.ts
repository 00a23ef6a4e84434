// Pairs that a program makes one after the other, as the list that a training needs.

import { check } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import { untilAborted } from '../core/until-aborted.ts';
import { isObject } from '../files/json-files.ts';
import type { Pair } from '../text/corpus/pairs.ts';

/** A generator of pairs, or another object that yields them. */
type PairSource = Iterable<Pair> | AsyncIterable<Pair>;

/** Maximum number of characters of a source, where each pair counts for 64 more: about what its object takes. */
const maxCharacters = 2 ** 28;

/** Returns whether a value yields pairs and is no list. */
export const isPairSource = (given: unknown): given is PairSource =>
  isObject(given) && (Symbol.asyncIterator in given || Symbol.iterator in given);

/**
 * Reads all pairs of a source. Rejects with what the source throws, and with the reason of `signal`, also while the
 * source waits. An endless source is an error before it fills the memory. `name`: of the argument.
 *
 * @example
 * await pairsOfSource((async function* () { yield { source: 'Go.', target: 'Ve.' }; })(), 'pairs'); // one pair
 */
export const pairsOfSource = (source: PairSource, name: string, signal?: AbortSignal): Promise<Pair[]> =>
  untilAborted(signal, async () => {
    const pairs: Pair[] = [];
    let characters = 0;
    for await (const pair of source) {
      signal?.throwIfAborted();
      pairs.push(pair);
      characters += 64 + lengthOf(pair?.source) + lengthOf(pair?.target);
      check(
        characters <= maxCharacters,
        msg`${name} yields more than ${maxCharacters} characters; write the pairs to a file`,
        { area: 'train' },
      );
    }
    return pairs;
  });

const lengthOf = (text: unknown): number => (typeof text === 'string' ? text.length : 0);
