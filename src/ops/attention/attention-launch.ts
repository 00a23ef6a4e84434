// The dispatches of self- and cross-attention: shader, constants and grid for a layout.

import { type DeviceTraits, dim, type Launch, type Value } from '../op.ts';
import { type AttentionLayout, attentionParams, maxHeldWidth } from './attention-layout.ts';

/**
 * Returns the kernels for a head width, best guess first: `tiles` in workgroup memory (attention.wgsl), for GPUs; reads
 * shared by subgroups (attention-subgroups.wgsl), for devices with small subgroups. CPU adapters only get the latter if
 * they can: there tiles take ten times as long, and seconds to compile.
 */
export function attentionVariants({ minSubgroup, software }: DeviceTraits, headWidth: number): readonly string[] {
  if (minSubgroup < 4 || headWidth > maxHeldWidth) return ['tiles'];
  const shared = minSubgroup < 8 ? 'subgroups-4' : 'subgroups-8';
  if (software && minSubgroup <= 8) return [shared];
  return minSubgroup <= 8 ? [shared, 'tiles'] : ['tiles', shared];
}

/** Bindings of a forward dispatch. */
export interface ForwardBinding {
  readonly q: Value;
  readonly kv: Value;
  readonly lens: Value;
  readonly step: Value;
  readonly bias?: Value | undefined;
  readonly out: Value;
  readonly lse: Value;
}

/** The forward dispatch. */
export function forwardLaunch(a: AttentionLayout, variant: string, x: ForwardBinding): Launch {
  const bind = { ...sources(x), out: x.out, lse: x.lse };
  return launch(a, variant, 'forward', a.queries, bind, 4);
}

const sources = ({ q, kv, lens, step, bias }: ForwardBinding) => ({ q, kv, lens, step, ...(bias && { bias }) });

/**
 * Bindings of the backward dispatches; the first writes `rowDots` f32 [B,H,Tq] for the others. `dbias` [H,
 * 2·farthest + 1] is written if it is there, with the help of `distances` f32 [B,H,2T - 1].
 */
export interface BackwardBinding extends ForwardBinding {
  readonly dout: Value;
  readonly dq: Value;
  readonly dkv: Value;
  readonly rowDots: Value;
  readonly dbias?: Value | undefined;
  readonly distances?: Value | undefined;
}

/** The backward dispatches: dq and the row dots, then dk and dv, then the gradient of the bias. */
export function backwardLaunches(a: AttentionLayout, variant: string, x: BackwardBinding): Launch[] {
  const common = { ...sources(x), lse_in: x.lse, dout: x.dout };
  const queries = { ...common, out_in: x.out, dq: x.dq, row_dots: x.rowDots };
  return [
    launch(a, variant, 'backward_queries', a.queries, queries, 6),
    launch(a, variant, 'backward_keys', a.keys, { ...common, dkv: x.dkv, row_dots_in: x.rowDots }, 8),
    ...(x.dbias && x.distances ? biasLaunches(a, { ...common, row_dots_in: x.rowDots }, x.distances, x.dbias) : []),
  ];
}

/** The gradient of the bias: sums by distance of each row and head, then over rows and equal entries. */
function biasLaunches(a: AttentionLayout, bind: Launch['bind'], sums: Value, dbias: Value): Launch[] {
  const { flops, ...common } = launch(a, 'bias', 'by_distance', 2 * a.queries - 1, { ...bind, sums }, 4);
  const total = { entry: 'sum_rows', bind: { sums_in: sums, dbias }, grid: [dim(dbias, 1), a.heads, 1] as const };
  return [
    { ...common, ...(flops !== undefined && { flops }) },
    { ...common, ...total },
  ];
}

/** One dispatch over `length` rows; `perColumn`: floating-point operations per column of a score. */
function launch(
  a: AttentionLayout,
  variant: string,
  entry: string,
  length: number,
  bind: Launch['bind'],
  perColumn: number,
): Launch {
  const { shader, constants, rows } = kernelOf(variant, a.width, entry);
  const choice = [a.farthest >= 0 && variant !== 'bias' && 'bias', a.width % 4 > 0 && 'scalar'].filter(Boolean);
  return {
    shader: [shader, ...(choice.length > 0 ? [choice.join('_')] : [])].join('-'),
    entry,
    constants: { ...constants, WIDTH: a.width, DROPOUT: a.dropout > 0 ? 1 : 0 },
    params: attentionParams(a),
    bind,
    grid: [Math.ceil(length / rows), a.heads, a.batch],
    flops: perColumn * a.batch * a.heads * a.queries * a.keys * a.width * (a.causal ? 0.5 : 1),
  };
}

/** A shader, its constants, and its rows per workgroup. */
interface Kernel {
  readonly shader: string;
  readonly constants: Record<string, number>;
  readonly rows: number;
}

const kernelOf = (variant: string, width: number, entry: string): Kernel =>
  variant === 'tiles'
    ? tiles(width, entry)
    : variant === 'bias'
      ? { shader: 'attention-bias-backward', constants: {}, rows: 64 }
      : subgroups(variant);

/**
 * At most two vec4 of columns of each tensor per thread, and one in backward_keys, which has two results; up to 256
 * threads and 16 KiB of workgroup memory.
 */
function tiles(width: number, entry: string): Kernel {
  const ACROSS = width <= (entry === 'backward_keys' ? 32 : 64) ? 8 : width <= 128 ? 16 : 32;
  const DOWN = ACROSS === 32 ? 8 : 16;
  const chunks = Math.ceil(width / 4 / ACROSS) * ACROSS;
  // Rows that are staged at once: a power of two.
  const SHARE = Math.min(32, 2 ** Math.floor(Math.log2((DOWN === 8 ? 512 : 256) / chunks)));
  return { shader: 'attention', constants: { ACROSS, DOWN, SHARE }, rows: 4 * DOWN };
}

/** Eight rows per workgroup; if four threads share reads, each has two rows. */
function subgroups(variant: string): Kernel {
  const lanes = variant === 'subgroups-4' ? 4 : 8;
  return { shader: 'attention-subgroups', constants: { LANES: lanes, THREADS: lanes, ROWS: 8 / lanes }, rows: 8 };
}
