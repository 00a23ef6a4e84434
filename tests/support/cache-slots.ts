// Slots of a key and value cache as beams leave them, for tests of attention while decoding.

import { random } from '../../src/core/random.ts';
import { hiddenSlot } from '../../src/engine/ops/decoding/cached-attention.ts';
import { integers } from './op.ts';

/** Sizes of a cache: rows, rows of a sentence, slots of a row, the position that is written. */
interface CacheSizes {
  readonly R: number;
  readonly beams: number;
  readonly T: number;
  readonly position: number;
}

/** Slots [R, T]: each position is in any row of its sentence, the newest in its own; every fifth is hidden. */
export function cacheSlots({ R, beams, T, position }: CacheSizes, seed: number) {
  const r = random(R, T, seed);
  const slots = Array.from({ length: R * T }, (_, i) => {
    const j = i % T;
    const own = Math.floor(i / T) % beams;
    const slot = (j === position ? own : r.int(beams)) * T + j;
    return j % 5 === 4 ? slot + hiddenSlot : slot;
  });
  return integers('u32', [R, T], slots);
}
