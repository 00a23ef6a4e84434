// The dispatches of self- and cross-attention: shader, constants and grid for a layout.

import type { DeviceTraits, Launch, Value } from '../op.ts';
import { type AttentionLayout, attentionParams, maxHeldWidth } from './attention-layout.ts';

/**
 * Returns the kernels for a head width, best guess first: `tiles` in workgroup memory (attention.wgsl), for GPUs; reads
 * shared by subgroups (attention-subgroups.wgsl), for CPU adapters, whose subgroups are small.
 */
export function attentionVariants({ minSubgroup }: DeviceTraits, headWidth: number): readonly string[] {
  if (minSubgroup < 4 || headWidth > maxHeldWidth) return ['tiles'];
  const shared = minSubgroup < 8 ? 'subgroups-4' : 'subgroups-8';
  return minSubgroup <= 8 ? [shared, 'tiles'] : ['tiles', shared];
}

/** Bindings of a forward dispatch. */
export interface ForwardBinding {
  readonly q: Value;
  readonly kv: Value;
  readonly lens: Value;
  readonly step: Value;
  readonly out: Value;
  readonly lse: Value;
}

/** The forward dispatch. */
export function forwardLaunch(a: AttentionLayout, variant: string, x: ForwardBinding): Launch {
  const bind = { q: x.q, kv: x.kv, lens: x.lens, step: x.step, out: x.out, lse: x.lse };
  return launch(a, variant, 'forward', a.queries, bind, 4);
}

/** Bindings of the two backward dispatches; the first writes `rowDots` f32 [B,H,Tq] for the second. */
export interface BackwardBinding extends ForwardBinding {
  readonly dout: Value;
  readonly dq: Value;
  readonly dkv: Value;
  readonly rowDots: Value;
}

/** The backward dispatches: dq and the row dots, then dk and dv. */
export function backwardLaunches(a: AttentionLayout, variant: string, x: BackwardBinding): Launch[] {
  const common = { q: x.q, kv: x.kv, lens: x.lens, step: x.step, lse_in: x.lse, dout: x.dout };
  const queries = { ...common, out_in: x.out, dq: x.dq, row_dots: x.rowDots };
  return [
    launch(a, variant, 'backward_queries', a.queries, queries, 6),
    launch(a, variant, 'backward_keys', a.keys, { ...common, dkv: x.dkv, row_dots_in: x.rowDots }, 8),
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
  const { shader, constants, rows } = variant === 'tiles' ? tiles(a.width) : subgroups(variant);
  return {
    shader: a.width % 4 === 0 ? shader : `${shader}-scalar`,
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

/** Enough threads per row that each has at most two vec4 of columns. */
function tiles(width: number): Kernel {
  return { shader: 'attention', constants: { ACROSS: width <= 64 ? 8 : width <= 128 ? 16 : 32 }, rows: 32 };
}

/** Eight rows per workgroup; if four threads share reads, each has two rows. */
function subgroups(variant: string): Kernel {
  const lanes = variant === 'subgroups-4' ? 4 : 8;
  return { shader: 'attention-subgroups', constants: { LANES: lanes, THREADS: lanes, ROWS: 8 / lanes }, rows: 8 };
}
