// Slots: memory that results share in turn. Largest first, each into the smallest slot that is free for its whole life
// ("Greedy by Size", Pisarchyk and Lee, 2020, "Efficient memory management for deep neural net inference").

import type { Group } from './lifetimes.ts';

/** Bytes of each slot, and the slot of each group. */
export interface Slots {
  readonly bytes: number[];
  readonly of: Map<Group, number>;
}

/** Assigns every group to a slot; groups alive at the same time never share one. */
export function assignSlots(groups: readonly Group[]): Slots {
  const bytes: number[] = [];
  const tenants: Group[][] = [];
  const of = new Map<Group, number>();
  const sorted = [...groups].sort((a, b) => b.bytes - a.bytes || a.start - b.start);
  for (const g of sorted) {
    let best = -1;
    for (let s = 0; s < bytes.length; s++) {
      if (tenants[s]?.some((t) => t.start <= g.end && g.start <= t.end)) continue;
      if (best < 0 || (bytes[s] as number) < (bytes[best] as number)) best = s;
    }
    if (best < 0) {
      best = bytes.length;
      bytes.push(g.bytes);
      tenants.push([]);
    }
    tenants[best]?.push(g);
    of.set(g, best);
  }
  return { bytes, of };
}
