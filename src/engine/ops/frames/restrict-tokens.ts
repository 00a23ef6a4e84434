// Forbids tokens in decoding by bit masks and by Whisper's rules of time stamps. The ops that choose tokens run
// after it and see only what is left; `shiftRows` turns their log-probabilities into those before the rules.

import restrictWgsl from '../../../../shaders/frames/restrict-tokens.wgsl?raw';
import shiftWgsl from '../../../../shaders/frames/shift-rows.wgsl?raw';
import { check } from '../../../core/errors.ts';
import { dim, show, sizeOf, tensorType } from '../../../core/tensor.ts';
import { attrsOf, type Builder, defineOp, type Value } from '../op.ts';
import { expectStep, expectType } from '../type-checks.ts';
import { gridOf } from '../work-division.ts';

/** Rules of a run. */
export interface TokenRestrictions {
  /** Number of tokens before the first generated one. */
  readonly prompt: number;
  /** Tokens that are never generated, and those that are not the first one. */
  readonly banned: readonly number[];
  readonly bannedFirst: readonly number[];
  /** The only tokens that may be generated. Default: all. */
  readonly only?: readonly number[];
  /** Rules of time stamps: first stamp, end token, maximum index of the first stamp. Default: none. */
  readonly stamps?: { readonly first: number; readonly end: number; readonly maxInitial?: number };
  /** Token whose probability before the rules each step outputs, as `watched`. Default: 0. */
  readonly watched?: number;
}

/** Words of a mask for a vocabulary. */
const maskWords = (vocab: number): number => Math.ceil(vocab / 32);

/** Length of the inputs `masks` u32 and `settings` i32. */
export const restrictionSizes = (vocab: number) => ({ masks: 2 * maskWords(vocab), settings: 8 });

/** Writes rules into the inputs. Ids outside of the vocabulary are ignored. */
export function writeRestrictions(
  masks: Uint32Array,
  settings: Int32Array,
  { prompt, banned, bannedFirst, only, stamps, watched = 0 }: TokenRestrictions,
): void {
  const words = masks.length / 2;
  const set = (word: number, id: number, bit: boolean) => {
    const [i, mask] = [word + (id >>> 5), 1 << (id & 31)];
    if (id >>> 5 < words) masks[i] = bit ? (masks[i] as number) | mask : (masks[i] as number) & ~mask;
  };
  masks.fill(only ? 0xffffffff : 0);
  for (const start of [0, words]) {
    for (const id of only ?? []) set(start, id, false);
    for (const id of banned) set(start, id, true);
  }
  for (const id of bannedFirst) set(0, id, true);
  settings.set([prompt, stamps?.first ?? -1, stamps?.end ?? 0, stamps?.maxInitial ?? -1, watched]);
}

/** V, if rows of the logits are padded. */
export type RestrictTokensAttrs = { readonly vocab?: number };

/**
 * logits f32 [R,1,V] (those of forbidden tokens are overwritten), history i32 [R,T], masks u32 and settings i32
 * of `writeRestrictions`, step; shift f32 [R], the log of the probability of all allowed tokens, and watched f32
 * [R], the probability of one token before the rules.
 */
export const restrictTokensOp = defineOp({
  name: 'restrict_tokens',
  inputs: ['logits', 'history', 'masks', 'settings', 'step'],
  outputs: ['shift', 'watched'],
  attrs: attrsOf<RestrictTokensAttrs>(),
  shape({ logits, history, masks, settings, step }, { vocab = dim(logits, -1) }) {
    const op = 'restrict_tokens';
    const [R = 0, , V = 0] = logits.shape;
    const sizes = restrictionSizes(vocab);
    expectType(op, 'logits', logits, 'f32', [R, 1, V]);
    expectType(op, 'history', history, 'i32', [R, dim(history, 1)]);
    expectType(op, 'masks', masks, 'u32', [sizes.masks], `of ${vocab} tokens`);
    expectType(op, 'settings', settings, 'i32', [sizes.settings]);
    expectStep(op, step);
    check(vocab <= V, () => `${op}: rows of ${V} logits for ${vocab} tokens`);
    return { shift: tensorType('f32', [R]), watched: tensorType('f32', [R]) };
  },
  mutates: ['logits'],
  launch({ logits, history, masks, settings, step }, { shift, watched }, { vocab = dim(logits, -1) }) {
    const rows = dim(logits, 0);
    return [
      {
        shader: { name: 'restrict-tokens', source: restrictWgsl },
        entry: 'restrict_tokens',
        params: { rows, cols: dim(logits, 2), vocab, positions: dim(history, 1), words: maskWords(vocab) },
        bind: { logits, history, masks, settings, step, shift, watched },
        grid: gridOf(rows, 1),
      },
    ];
  },
});

/** x [R,..] f32, shift f32 [R]; y = x plus the number of its row. */
export const shiftRowsOp = defineOp({
  name: 'shift_rows',
  inputs: ['x', 'shift'],
  outputs: ['y'],
  shape({ x, shift }) {
    expectType('shift_rows', 'x', x, 'f32');
    expectType('shift_rows', 'shift', shift, 'f32', [dim(x, 0)], `x is ${show(x.shape)}`);
    return { y: tensorType('f32', x.shape) };
  },
  launch: ({ x, shift }, { y }) => [
    {
      shader: { name: 'shift-rows', source: shiftWgsl },
      entry: 'shift_rows',
      params: { count: sizeOf(x.shape), width: sizeOf(x.shape.slice(1)) },
      bind: { x, shift, y },
      grid: gridOf(sizeOf(x.shape), 256),
    },
  ],
});

/** x [R,..] plus a number for each row [R]. */
export const shiftRows = (builder: Builder, x: Value, shift: Value): Value =>
  builder.apply(shiftRowsOp, { x, shift }).y;
