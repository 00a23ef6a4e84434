// The dispatches of the attention kernels, shared by self- and cross-attention: which shader, constants and grid fit a layout.

import { type AttentionLayout, attentionParams } from './attention-layout.ts';
import type { DeviceTraits, Launch, Value } from './op.ts';

/** The widest head of the kernels that keep whole rows in registers and share reads. */
const widestShared = 64;

/** Kernels that can do a layout, best guess first. `attention.wgsl` says what they are. */
export function attentionVariants(a: AttentionLayout, traits: DeviceTraits): readonly string[] {
  const shared = traits.minSubgroup >= 4 && a.width % 4 === 0 && a.width <= widestShared;
  return shared ? [traits.minSubgroup >= 8 ? 'subgroups-8' : 'subgroups-4', 'rows'] : ['rows'];
}

/** What a forward dispatch binds. */
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
  const bind = { q_in: x.q, kv_in: x.kv, lens: x.lens, step: x.step, out: x.out, lse: x.lse };
  return launch(a, variant, 'forward', a.queries, bind, 4);
}

/** What the two backward dispatches bind; `rowDots` is f32 [B,H,Tq], kept between them. */
export interface BackwardBinding extends ForwardBinding {
  readonly dout: Value;
  readonly dq: Value;
  readonly dkv: Value;
  readonly rowDots: Value;
}

/** The backward dispatches: dq and the row dots, then dk and dv. */
export function backwardLaunches(a: AttentionLayout, variant: string, x: BackwardBinding): Launch[] {
  const common = { q_in: x.q, kv_in: x.kv, lens: x.lens, step: x.step, lse_in: x.lse, dout_in: x.dout };
  const queries = { ...common, out_in: x.out, dq: x.dq, row_dots: x.rowDots };
  return [
    launch(a, variant, 'backward_queries', a.queries, queries, 6),
    launch(a, variant, 'backward_keys', a.keys, { ...common, dkv: x.dkv, row_dots_in: x.rowDots }, 8),
  ];
}

/** One dispatch over `length` rows; `perColumn` is its floating-point operations for a column of a score. */
function launch(
  a: AttentionLayout,
  variant: string,
  entry: string,
  length: number,
  bind: Launch['bind'],
  perColumn: number,
): Launch {
  const lanes = variant === 'subgroups-4' ? 4 : 8;
  // Eight rows a workgroup: where reads are shared by four threads only, each takes two.
  const rows = 8 / lanes;
  return {
    shader: variant !== 'rows' ? 'attention-subgroups' : a.width % 4 === 0 ? 'attention' : 'attention-odd',
    entry,
    constants: {
      WIDTH: a.width,
      ROWS: rows,
      THREADS: lanes,
      DROPOUT: a.dropout > 0 ? 1 : 0,
      ...(variant !== 'rows' && { LANES: lanes }),
    },
    params: attentionParams(a),
    bind,
    grid: [Math.ceil(length / (lanes * rows)), a.heads, a.batch],
    flops: perColumn * a.batch * a.heads * a.queries * a.keys * a.width * (a.causal ? 0.5 : 1),
  };
}
