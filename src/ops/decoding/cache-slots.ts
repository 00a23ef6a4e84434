// The account of a decoding: where the keys of each row's ancestors lie in the cache, and which tokens they were.

import { check } from '../../core/errors.ts';
import { expectStep, expectType, inputAt } from '../expect.ts';
import { type Builder, defineOp, gridOf, type Value } from '../op.ts';
import { readStep } from '../step-scalars.ts';
import { hiddenSlot } from './cached-attention.ts';

/** Rows of a sentence, at most `maxBeams`; `padId`: the token whose keys are hidden. */
export type CacheSlotsAttrs = { readonly beams: number; readonly padId: number };

/** The most rows a sentence may have: their slots change places in registers. */
export const maxBeams = 64;

/**
 * Inputs newest i32 [R,1], the token each row reads now; parents i32 [R], which row of its sentence each row descends from, counted
 * from the sentence's first; slots u32 [R,T] and tokens i32 [R,T] (states, written); step. No outputs. All that row r had before
 * step.position becomes what its parent had; at it r gets a slot of its own, `hiddenSlot` added where the token is padding, so that
 * no query may see it (but at position 0: MarianMT starts with padding).
 */
export const cacheSlotsOp = defineOp<CacheSlotsAttrs>({
  name: 'cache_slots',
  shape(inputs, { beams }) {
    const name = 'cache_slots';
    const slots = inputAt(name, inputs, 2, 'slots');
    const [R = 0, T = 0] = slots.shape;
    expectType(name, 'newest', inputs[0], 'i32', [R, 1], 'one a row of slots');
    expectType(name, 'parents', inputs[1], 'i32', [R], 'one a row of slots');
    expectType(name, 'slots', slots, 'u32', [R, T]);
    expectType(name, 'tokens', inputs[3], 'i32', [R, T], 'as slots');
    expectStep(name, inputs[4]);
    check(
      beams >= 1 && beams <= maxBeams && R % beams === 0,
      () => `cache_slots: ${R} rows in sentences of ${beams} beams; beams must divide the rows and be 1..${maxBeams}`,
    );
    return [];
  },
  mutates: [2, 3],
  launch({ attrs: { beams, padId }, inputs }) {
    const [newest, parents, slots, tokens, step] = inputs as [Value, Value, Value, Value, Value];
    const [rows = 0, positions = 0] = slots.shape;
    return [
      {
        shader: 'cache-slots',
        entry: 'cache_slots',
        constants: { BEAMS: beams },
        params: { sentences: rows / beams, positions, pad: padId },
        bind: { newest, parents, slots, tokens, step },
        grid: gridOf((rows / beams) * positions, 64),
      },
    ];
  },
  reference({ attrs: { beams, padId }, inputs: [newest, parents, slots, tokens, step] }) {
    const [R = 0, T = 0] = slots!.shape;
    const { position } = readStep(step!.data);
    const before = { slots: slots!.data.slice(), tokens: tokens!.data.slice() };
    for (let r = 0; r < R; r++) {
      const k = r % beams;
      const parent = r - k + parents!.data[r]!;
      for (let t = 0; t < position; t++) {
        slots!.data[r * T + t] = before.slots[parent * T + t]!;
        tokens!.data[r * T + t] = before.tokens[parent * T + t]!;
      }
      const token = newest!.data[r]!;
      slots!.data[r * T + position] = k * T + position + (token === padId && position > 0 ? hiddenSlot : 0);
      tokens!.data[r * T + position] = token;
    }
  },
});

/** Brings the states slots u32 [R,T] and tokens i32 [R,T] up to date with the newest tokens i32 [R,1] and their parents i32 [R]. */
export function cacheSlots(
  g: Builder,
  newest: Value,
  parents: Value,
  slots: Value,
  tokens: Value,
  step: Value,
  attrs: CacheSlotsAttrs,
): void {
  g.apply(cacheSlotsOp, [newest, parents, slots, tokens, step], attrs);
}
