// The table of slots in decoding: for each row the slots of its ancestors in the KV cache, and their tokens.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { applyOp, attrsOf, type Builder, defineOp, type Value } from '../op.ts';
import { expectStep, expectType } from '../type-checks.ts';
import { gridOf } from '../work-division.ts';

/** `beams`: rows of a sentence, at most `maxBeams`; `padId`: the token whose keys are hidden. */
export type CacheSlotsAttrs = { readonly beams: number; readonly padId: number };

/** Maximum number of rows of a sentence: their slots are swapped in registers. */
export const maxBeams = 64;

/**
 * newest i32 [R,1], the token that each row reads now; parents i32 [R], the row of its sentence that each row
 * continues, counted from the sentence's first; slots u32 [R,T] and tokens i32 [R,T] (states, written); step.
 * No outputs. Row r takes the entries of its parent before step.position; there it gets a slot of its own,
 * plus `hiddenSlot` if the token is padding, so that no query sees it (except at position 0: MarianMT starts
 * with padding).
 */
export const cacheSlotsOp = defineOp({
  name: 'cache_slots',
  inputs: ['newest', 'parents', 'slots', 'tokens', 'step'],
  attrs: attrsOf<CacheSlotsAttrs>({ beams: 'number', padId: 'number' }),
  shape({ newest, parents, slots, tokens, step }, { beams }) {
    const name = 'cache_slots';
    const [R = 0, T = 0] = slots.shape;
    expectType(name, 'newest', newest, 'i32', [R, 1], 'one for each row of slots');
    expectType(name, 'parents', parents, 'i32', [R], 'one for each row of slots');
    expectType(name, 'slots', slots, 'u32', [R, T]);
    expectType(name, 'tokens', tokens, 'i32', [R, T], 'as slots');
    expectStep(name, step);
    check(
      beams >= 1 && beams <= maxBeams && R % beams === 0,
      () => msg`${R} rows in sentences of ${beams} beams; beams must divide the rows and be 1..${maxBeams}`,
      { area: 'cache_slots' },
    );
    return {};
  },
  mutates: ['slots', 'tokens'],
  launch(inputs, _outputs, { beams, padId }) {
    const [rows = 0, positions = 0] = inputs.slots.shape;
    return [
      {
        shader: 'cache-slots',
        entry: 'cache_slots',
        constants: { BEAMS: beams },
        params: { sentences: rows / beams, positions, pad: padId },
        bind: inputs,
        grid: gridOf((rows / beams) * positions, 64),
      },
    ];
  },
});

/**
 * Updates the states slots u32 [R,T] and tokens i32 [R,T] with the newest tokens i32 [R,1] and their parents
 * i32 [R].
 *
 * @example
 * const [newest, parents] = [graph.input('newest', 'i32', [8, 1]), graph.input('parents', 'i32', [8])];
 * const [slots, tokens] = [graph.state('slots', 'u32', [8, 32]), graph.state('tokens', 'i32', [8, 32])];
 * cacheSlots(graph, newest, parents, slots, tokens, step, { beams: 4, padId: 0 });
 */
export function cacheSlots(
  builder: Builder,
  newest: Value,
  parents: Value,
  slots: Value,
  tokens: Value,
  step: Value,
  attrs: CacheSlotsAttrs,
): void {
  applyOp(builder, cacheSlotsOp, { newest, parents, slots, tokens, step }, attrs);
}
