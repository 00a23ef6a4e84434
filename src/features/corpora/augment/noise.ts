// Noise of augmentation: words of random characters, and emoji.

import type { Random } from '../../../core/random.ts';

/** Ranges of characters of which noise is made: scripts, symbols, pictures. */
const ranges: readonly (readonly [first: number, last: number])[] = [
  [0x21, 0x2f],
  [0x61, 0x7a],
  [0xa1, 0xff],
  [0x391, 0x3c9],
  [0x410, 0x44f],
  [0x5d0, 0x5ea],
  [0x627, 0x64a],
  [0x905, 0x939],
  [0x2190, 0x21ff],
  [0x2600, 0x26ff],
  [0x3042, 0x3093],
  [0x4e00, 0x9fa5],
];

/** Ranges of emoji. */
const emojiRanges: typeof ranges = [
  [0x1f300, 0x1f320],
  [0x1f400, 0x1f4ff],
  [0x1f600, 0x1f64f],
  [0x1f680, 0x1f6c5],
  [0x1f910, 0x1f93a],
];

const character = (from: typeof ranges, random: Random): string => {
  const [first, last] = random.pick(from);
  return String.fromCodePoint(first + random.int(last - first + 1));
};

/** Two to five random characters of one range. */
export function noiseWord(random: Random): string {
  const range = [random.pick(ranges)];
  return Array.from({ length: 2 + random.int(4) }, () => character(range, random)).join('');
}

/** A random emoji. */
export const emoji = (random: Random): string => character(emojiRanges, random);
