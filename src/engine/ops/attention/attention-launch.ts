// The dispatches of self- and cross-attention: shader, constants and grid for a layout.

import { present } from '../../../core/present.ts';
import type { DeviceTraits } from '../device-traits.ts';
import type { Launch, LaunchContext, Value, Variant } from '../op.ts';
import { hasFewRegisters, subgroupSizeFor } from '../vendor-preferences.ts';
import { broadcastsSubgroups, lanesOf } from '../work-division.ts';
import { type AttentionLayout, attentionParams, maxHeldWidth } from './attention-layout.ts';

/**
 * Returns the kernels for a head width, best guess first: `tiles` in workgroup memory (attention.wgsl), for
 * GPUs; of them `pairs` have two rows per thread rather than four, and the threads of `shuffle` reduce rows by subgroup
 * shuffles. CPU adapters with subgroups get only reads shared by subgroups (attention-subgroups.wgsl): tiles take ten
 * times as long there, and seconds to compile.
 */
export function attentionVariants(traits: DeviceTraits, headWidth: number): readonly AttentionVariant[] {
  const { minSubgroup } = traits;
  if (broadcastsSubgroups(traits) && headWidth <= maxHeldWidth)
    return [subgroupVariant(lanesOf(minSubgroup))];
  const pairs = hasFewRegisters(traits);
  const shuffled = minSubgroup >= tileAcross(headWidth, pairs) ? [tileVariant({ pairs, shuffle: true })] : [];
  return [tileVariant({ pairs }), ...shuffled, tileVariant({ pairs: !pairs })];
}

/** A kernel of attention. */
export interface AttentionVariant extends Variant {
  /** Threads of a subgroup that share reads. Absent: tiles in workgroup memory. */
  readonly lanes?: 4 | 8;
  /** Whether a thread of a tile has two own rows, not four. */
  readonly pairs?: boolean;
  /** Whether the threads of a tile reduce rows by subgroup shuffles. */
  readonly shuffle?: boolean;
  /** Whether all gradients are one dispatch. */
  readonly together?: boolean;
}

/** A variant by tiles: `tiles`, `tiles-pairs-shuffle-together`. */
export function tileVariant(
  properties: Pick<AttentionVariant, 'pairs' | 'shuffle' | 'together'> = {},
): AttentionVariant {
  const { pairs, shuffle, together } = properties;
  const words = ['tiles', pairs && 'pairs', shuffle && 'shuffle', together && 'together'];
  return { name: words.filter(Boolean).join('-'), ...properties };
}

/** The kernels of the backward pass: those of the forward pass, and by tiles all gradients in one dispatch. */
export function backwardVariants(traits: DeviceTraits, headWidth: number): readonly AttentionVariant[] {
  const all = attentionVariants(traits, headWidth);
  if (!all.some(usesTiles)) return all;
  // A row is reduced by as many threads as the gradients of keys take.
  const canShuffle = traits.minSubgroup >= keyAcross(headWidth);
  const together = { pairs: hasFewRegisters(traits), together: true };
  return [
    ...all,
    tileVariant(together),
    ...(canShuffle ? [tileVariant({ ...together, shuffle: true })] : []),
  ];
}

const subgroupVariant = (lanes: 4 | 8): AttentionVariant => ({
  name: `subgroups-${lanes}`,
  family: 'subgroups',
  forSoftware: true,
  lanes,
});

/** A variant, and the device that it is for. */
export type AttentionContext = Pick<LaunchContext<string, string, AttentionVariant>, 'variant' | 'traits'>;

/** Bindings of a forward dispatch. */
export interface ForwardBinding {
  readonly q: Value;
  readonly kv: Value;
  readonly lens: Value;
  readonly step: Value;
  readonly bias?: Value;
  readonly out: Value;
  readonly lse: Value;
}

/** The forward dispatch. */
export function forwardLaunch(a: AttentionLayout, context: AttentionContext, x: ForwardBinding): Launch {
  const bind = { ...attentionSources(x), out: x.out, lse: x.lse };
  return attentionLaunch(a, context, 'forward', a.queries, bind, 4);
}

/** Bindings that forward and backward dispatches have in common. */
export const attentionSources = ({ q, kv, lens, step, bias }: ForwardBinding) => ({
  q,
  kv,
  lens,
  step,
  bias,
});

/** One dispatch over `length` rows; `perColumn`: floating-point operations per column of a score. */
export function attentionLaunch(
  a: AttentionLayout,
  context: AttentionContext,
  entry: string,
  length: number,
  bind: Launch['bind'],
  perColumn: number,
): Launch {
  const { shader, constants, rows, subgroupSize } = attentionKernel(context, a.width, entry);
  const conditions = present([
    a.farthest >= 0 ? 'bias' : undefined,
    context.variant.pairs ? 'pairs' : undefined,
    a.width % 4 > 0 ? 'scalar' : undefined,
    context.variant.shuffle ? 'shuffle' : undefined,
  ]);
  return {
    shader: [shader, ...conditions].join('-'),
    entry,
    constants: { ...constants, WIDTH: a.width, DROPOUT: a.dropout > 0 ? 1 : 0 },
    subgroupSize,
    params: attentionParams(a),
    bind,
    grid: [Math.ceil(length / rows), a.heads, a.batch],
    flops: perColumn * a.batch * a.heads * a.queries * a.keys * a.width * (a.causal ? 0.5 : 1),
  };
}

/** The dispatch of all gradients: blocks of queries, then blocks of keys. */
export function togetherLaunch(
  a: AttentionLayout,
  context: AttentionContext,
  entry: string,
  bind: Launch['bind'],
): Launch {
  const keys = attentionLaunch(a, context, entry, a.keys, bind, 14);
  const rows = attentionRows(context, a.width, entry);
  const [blocks, heads, batch] = keys.grid;
  return { ...keys, grid: [Math.ceil(a.queries / rows) + blocks, heads, batch] };
}

/** A shader, its constants, and its rows per workgroup. */
interface AttentionKernel {
  readonly shader: string;
  readonly constants: Record<string, number>;
  readonly rows: number;
  readonly subgroupSize?: number;
}

const attentionKernel = (
  { variant: { lanes, pairs }, traits }: AttentionContext,
  width: number,
  entry: string,
): AttentionKernel =>
  lanes
    ? subgroupKernel(lanes)
    : { ...tileKernel(width, entry, pairs), subgroupSize: subgroupSizeFor(traits) };

/** Whether a variant computes attention by tiles. */
export const usesTiles = ({ lanes }: AttentionVariant): boolean => lanes === undefined;

/** Rows of a workgroup of an entry point. */
export const attentionRows = (context: AttentionContext, width: number, entry: string): number =>
  attentionKernel(context, width, entry).rows;

/**
 * Up to width 256 at most two vec4 of columns of each tensor per thread, up to width 128 one in backward_keys;
 * up to 256 threads and 16 KiB of workgroup memory.
 */
function tileKernel(width: number, entry: string, pairs = false): AttentionKernel {
  const ofKeys = entry.startsWith('backward') && entry !== 'backward_queries';
  const ACROSS = ofKeys ? keyAcross(width) : tileAcross(width, pairs);
  const DOWN = ACROSS === 32 ? 8 : 16;
  const chunks = Math.ceil(width / 4 / ACROSS) * ACROSS;
  // Rows that are staged at once: a power of two.
  const SHARE = Math.min(32, 2 ** Math.floor(Math.log2((DOWN === 8 ? 512 : 256) / chunks)));
  return { shader: 'attention', constants: { ACROSS, DOWN, SHARE }, rows: (pairs ? 2 : 4) * DOWN };
}

/** Threads that share a row of a tile; they reduce it. */
const tileAcross = (width: number, pairs: boolean): number =>
  pairs ? keyAcross(width) : width <= 64 ? 8 : width <= 128 ? 16 : 32;

/** The same of the gradients of keys, which hold two tensors, and of pairs: one vec4 of columns up to width 128. */
const keyAcross = (width: number): number => (width <= 32 ? 8 : width <= 64 ? 16 : 32);

/** Eight rows per workgroup; if four threads share reads, each has two rows. */
function subgroupKernel(lanes: 4 | 8): AttentionKernel {
  const constants = { LANES: lanes, THREADS: lanes, ROWS: 8 / lanes };
  return { shader: 'attention-subgroups', constants, rows: 8 };
}
