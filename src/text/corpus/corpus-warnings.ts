// Warnings about the pairs of a corpus that make results mislead: dev or test pairs that the model has trained on,
// and one pair that makes up much of the training.

import { formatInteger, formatPercent } from '../../core/format-numbers.ts';
import type { Steps } from '../../core/steps.ts';
import { type CorpusSplit, type Pair, sampleEvenly } from './pairs.ts';

/** Number of training pairs that are compared with each other, and the share from which one pair is too much. */
const sampled = 10_000;
const maxShare = 0.05;
/** A smaller corpus repeats its few pairs on purpose. */
const minPairs = 50;

const keyOf = ({ source, target }: Pair): string => `${source}\t${target}`;

/** Finds such pairs in a corpus, in steps; returns a warning for each problem. */
export function* corpusWarnings({ train, dev, test }: CorpusSplit): Steps<string[]> {
  const held = { dev: new Set<string>(), test: new Set<string>() };
  for (const part of ['dev', 'test'] as const)
    for (const pair of { dev, test }[part]) held[part].add(keyOf(pair));
  const found = { dev: new Set<string>(), test: new Set<string>() };
  let done = 0;
  if (held.dev.size + held.test.size > 0)
    for (const pair of train) {
      if (done++ % 1024 === 0) yield { task: 'compare pairs', done, total: train.length };
      const key = keyOf(pair);
      for (const part of ['dev', 'test'] as const) if (held[part].has(key)) found[part].add(key);
    }
  const warnings: string[] = [];
  for (const part of ['dev', 'test'] as const)
    if (found[part].size > 0)
      warnings.push(
        `${formatInteger(found[part].size)} of ${formatInteger(held[part].size)} ${part} pairs are also training pairs, ` +
          'so their metrics are better than those of new texts; remove them from one of the two',
      );
  const frequent = frequentPair(train);
  return frequent ? [...warnings, frequent] : warnings;
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
