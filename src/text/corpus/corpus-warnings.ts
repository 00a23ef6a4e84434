// Warnings about the pairs of a corpus that make results mislead: dev or test pairs, or their sources, that the model
// has trained on, and one pair that makes up much of the training.

import { formatInteger } from '../../core/format-numbers.ts';
import { type Message, msg, percentage } from '../../core/message.ts';
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

/** Finds such pairs in a corpus, in steps; returns a warning for each problem. */
export function* corpusWarnings({ train, dev, test }: CorpusSplit): Steps<Message[]> {
  const held = Object.entries({ dev, test }).map(([part, list]) => {
    // Whether each pair, and each source, occurs in training.
    const pairs = new Map<string, boolean>();
    const sources = new Map<string, boolean>();
    for (const pair of list) {
      pairs.set(keyOf(pair), false);
      sources.set(pairKey(pair.source), false);
    }
    return { part, pairs, sources };
  });
  let done = 0;
  if (dev.length + test.length > 0)
    for (const pair of train) {
      if (done++ % 1024 === 0) yield { task: 'compare pairs', done, total: train.length };
      const source = pairKey(pair.source);
      for (const { pairs, sources } of held) {
        if (!sources.has(source)) continue;
        sources.set(source, true);
        if (pairs.has(keyOf(pair))) pairs.set(keyOf(pair), true);
      }
    }
  const warnings = held.flatMap(({ part, pairs, sources }) => {
    const [found, known] = [pairs, sources].map((map) => [...map.values()].filter(Boolean).length);
    if (found)
      return [msg`${share(found, pairs.size)} ${part} pairs are also training pairs, ${consequence}`];
    if (known && known > maxSources * sources.size)
      return [
        msg`${share(known, sources.size)} sources of the ${part} pairs are also in training, with other targets, ${consequence}`,
      ];
    return [];
  });
  const frequent = frequentPair(train);
  return frequent ? [...warnings, frequent] : warnings;
}

const consequence = msg`so their metrics are better than those of new texts; remove them from one of the two`;

const share = (n: number, all: number): string => `${formatInteger(n)} of ${formatInteger(all)}`;

/** A warning about a pair that makes up much of the training pairs. */
function frequentPair(train: CorpusSplit['train']): Message | undefined {
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
  return msg`the pair "${text}" makes up ${percentage(share)} of the training pairs; remove its copies`;
}
