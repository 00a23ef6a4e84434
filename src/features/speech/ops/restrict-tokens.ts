// Forbids tokens in decoding by bit masks and by Whisper's rules of time stamps. The ops that choose tokens run
// after it and see only what is left; `shiftRows` turns their log-probabilities into those before the rules.

import restrictWgsl from '../../../../shaders/features/speech/restrict-tokens.wgsl?raw';
import shiftWgsl from '../../../../shaders/features/speech/shift-rows.wgsl?raw';
import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { dim, show, sizeOf, tensorType } from '../../../core/tensor.ts';
import { masked } from '../../../engine/ops/decoding/next-token.ts';
import { attrsOf, type Builder, defineOp, type Value } from '../../../engine/ops/op.ts';
import { sum } from '../../../engine/ops/reference-tensor.ts';
import { readStep } from '../../../engine/ops/step-scalars.ts';
import { expectStep, expectType } from '../../../engine/ops/type-checks.ts';
import { gridOf } from '../../../engine/ops/work-division.ts';

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

/** The rules of stamps as in Whisper's own code: whether a token may follow the `generated` ones. */
function allowsStamp(token: number, generated: readonly number[], settings: ArrayLike<number>): boolean {
  const [, stamp = -1, end = 0, maxInitial = -1] = Array.from(settings);
  if (stamp < 0) return true;
  const isStamp = (id: number | undefined) => id !== undefined && id >= stamp;
  if (generated.length === 0) return isStamp(token) && (maxInitial < 0 || token <= stamp + maxInitial);
  const afterStamp = isStamp(generated.at(-1));
  const afterTwo = generated.length < 2 || isStamp(generated.at(-2));
  if (afterStamp && afterTwo && isStamp(token)) return false;
  if (afterStamp && !afterTwo && token < end) return false;
  const last = generated.filter(isStamp).at(-1);
  return last === undefined || !isStamp(token) || token >= last + (afterStamp && !afterTwo ? 0 : 1);
}

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
    check(vocab <= V, () => msg`rows of ${V} logits for ${vocab} tokens`, { area: op });
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
  reference: ({ logits, history, masks, settings, step }, { shift, watched }, { vocab = logits.cols }) => {
    const { position } = readStep(step.data);
    const [prompt = 0, stamp = -1, , , watch = 0] = settings.data;
    for (let r = 0; r < logits.rows; r++) {
      const z = logits.row(r).subarray(0, vocab);
      const top = Math.max(...z);
      const massOf = (keep: (id: number) => boolean) =>
        sum(vocab, (id) => (keep(id) ? Math.exp((z[id] as number) - top) : 0));
      const generated = Array.from(history.row(r).subarray(prompt, position + 1));
      const free = position + 1 < prompt;
      const mask = generated.length === 0 ? 0 : masks.size / 2;
      const isBanned = (id: number) => ((masks.at(mask + (id >>> 5)) >>> (id & 31)) & 1) !== 0;
      const allowed = Array.from(
        z,
        (_, id) => free || (!isBanned(id) && allowsStamp(id, generated, settings.data)),
      );
      const isStamp = (id: number) => stamp >= 0 && id >= stamp && allowed[id] === true;
      const best = Math.max(
        0,
        ...Array.from(z, (x, id) => (allowed[id] && !isStamp(id) ? Math.exp(x - top) : 0)),
      );
      const onlyStamps = stamp >= 0 && massOf(isStamp) > best;
      const keep = (id: number) => allowed[id] === true && (!onlyStamps || isStamp(id));
      shift.set(r, Math.log(massOf(keep) / massOf(() => true)));
      watched.set(r, Math.exp((z[watch] as number) - top) / massOf(() => true));
      for (const id of z.keys()) if (!keep(id)) z[id] = masked;
    }
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
  reference: ({ x, shift }, { y }) => {
    const width = x.size / x.dim(0);
    for (let i = 0; i < y.size; i++) y.set(i, x.at(i) + shift.at(Math.floor(i / width)));
  },
});

/** x [R,..] plus a number for each row [R]. */
export const shiftRows = (builder: Builder, x: Value, shift: Value): Value =>
  builder.apply(shiftRowsOp, { x, shift }).y;
