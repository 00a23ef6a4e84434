// Warnings about the pairs of a corpus that make results mislead: dev or test pairs, or their sources, that the model
// has trained on, and one pair that makes up much of the training.

import { formatInteger, formatPercent } from '../../core/format-numbers.ts';
import type { Steps } from '../../core/steps.ts';
import { type CorpusSplit, type Pair, pairKey, sampleEvenly } from './pairs.ts';

/** Number of training pairs that are compared with each other, and the share from which one pair is too much. */
const sampled = 10_000;
const maxShare = 0.05;
/** A smaller corpus repeats its few pairs on purpose. */
const minPairs = 50;

/** Share of the sources of dev or test pairs that may occur in training with other targets, as short sentences do. */
const maxSources = 0.2;

/** Key of a pair: as in a split, spacing and case do not matter. */
const keyOf = ({ source, target }: Pair): string => `${pairKey(source)}\t${pairKey(target)}`;

/** Pairs of a part that are held out: numbers of different ones, and those that were found in training. */
interface HeldPairs {
  readonly part: 'dev' | 'test';
  readonly pairs: ReadonlySet<string>;
  readonly sources: ReadonlySet<string>;
  readonly found: Set<string>;
  readonly foundSources: Set<string>;
}

function heldPairs(part: HeldPairs['part'], list: Iterable<Pair>): HeldPairs {
  const pairs = new Set<string>();
  const sources = new Set<string>();
  for (const pair of list) {
    pairs.add(keyOf(pair));
    sources.add(pairKey(pair.source));
  }
  return { part, pairs, sources, found: new Set(), foundSources: new Set() };
}

/** Finds such pairs in a corpus, in steps; returns a warning for each problem. */
export function* corpusWarnings({ train, dev, test }: CorpusSplit): Steps<string[]> {
  const held = [heldPairs('dev', dev), heldPairs('test', test)];
  let done = 0;
  if (held.some(({ pairs }) => pairs.size > 0))
    for (const pair of train) {
      if (done++ % 1024 === 0) yield { task: 'compare pairs', done, total: train.length };
      const source = pairKey(pair.source);
      for (const { pairs, sources, found, foundSources } of held) {
        if (!sources.has(source)) continue;
        foundSources.add(source);
        const key = keyOf(pair);
        if (pairs.has(key)) found.add(key);
      }
    }
  const warnings = held.flatMap(overlap);
  const frequent = frequentPair(train);
  return frequent ? [...warnings, frequent] : warnings;
}

/** Warnings about the pairs, and else the sources, of a part that occur in training. */
function overlap({ part, pairs, sources, found, foundSources }: HeldPairs): string[] {
  const some = (n: number, all: number) => `${formatInteger(n)} of ${formatInteger(all)}`;
  const then = 'so their metrics are better than those of new texts; remove them from one of the two';
  if (found.size > 0)
    return [`${some(found.size, pairs.size)} ${part} pairs are also training pairs, ${then}`];
  if (foundSources.size <= maxSources * sources.size) return [];
  return [
    `${some(foundSources.size, sources.size)} sources of the ${part} pairs are also in the training pairs, with other ` +
      `targets, ${then}`,
  ];
}

/** A warning about a pair that makes up much of the training pairs. */
function frequentPair(train: CorpusSplit['train']): string | undefined {
  if (train.length < minPairs) return undefined;
  const pairs = sampleEvenly<Pair>(train, sampled);
  const counts = new Map<string, { pair: Pair; count: number }>();
  for (const pair of pairs) {
    const entry = counts.get(keyOf(pair)) ?? { pair, count: 0 };
    entry.count++;
    counts.set(keyOf(pair), entry);
  }
  const most = [...counts.values()].reduce((a, b) => (b.count > a.count ? b : a));
  const share = most.count / pairs.length;
  if (share < maxShare) return undefined;
  const text = most.pair.source.length > 40 ? `${most.pair.source.slice(0, 40)}...` : most.pair.source;
  return `the pair "${text}" makes up ${formatPercent(share)} of the training pairs; remove its copies`;
}
