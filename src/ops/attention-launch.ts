// The dispatches of the attention kernels, shared by self-, cross- and cached attention: which shader and constants fit a layout.

import { type AttentionLayout, attentionParams } from './attention-layout.ts';
import type { Launch, Value } from './op.ts';

/** Kernels that can do a layout, best guess for GPUs first. */
export function attentionVariants(_a: AttentionLayout): readonly string[] {
  return ['rows'];
}

/** What a forward dispatch binds. `lens` may be any u32 buffer where the lengths come from the step. */
export interface ForwardBinding {
  readonly q_in: Value;
  readonly kv_in: Value;
  readonly lens: Value;
  readonly step: Value;
  readonly out: Value;
  readonly lse: Value;
}

/** The forward dispatch; `fromStep`: every row sees the keys up to the step's position, and `lens` is not read. */
export function forwardLaunch(a: AttentionLayout, _variant: string, bind: ForwardBinding, fromStep = false): Launch {
  return rows(a, 'forward_rows', a.queries, { ...bind }, 4, { FROM_STEP: fromStep ? 1 : 0 });
}

/** What the two backward dispatches bind; `rowDots` is f32 [B,H,Tq], kept between them. */
export interface BackwardBinding {
  readonly q: Value;
  readonly kv: Value;
  readonly out: Value;
  readonly lse: Value;
  readonly dout: Value;
  readonly lens: Value;
  readonly step: Value;
  readonly dq: Value;
  readonly dkv: Value;
  readonly rowDots: Value;
}

/** The backward dispatches: dq and the row dots, then dk and dv. */
export function backwardLaunches(a: AttentionLayout, _variant: string, x: BackwardBinding): Launch[] {
  const common = { q_in: x.q, kv_in: x.kv, lens: x.lens, step: x.step, lse_in: x.lse, dout_in: x.dout };
  return [
    rows(a, 'dq_rows', a.queries, { ...common, out_in: x.out, dq: x.dq, row_dots: x.rowDots }, 6),
    rows(a, 'dkv_rows', a.keys, { ...common, dkv: x.dkv, row_dots_in: x.rowDots }, 8),
  ];
}

/** A dispatch with a thread for a few of `length` rows; `perScore` is its flops a column of a visible score. */
function rows(
  a: AttentionLayout,
  entry: string,
  length: number,
  bind: Launch['bind'],
  perScore: number,
  constants: Record<string, number> = {},
): Launch {
  const threads = 8;
  const perThread = 1;
  return {
    shader: a.width % 4 === 0 ? 'attention' : 'attention-odd',
    entry,
    constants: {
      ...constants,
      CAUSAL: a.causal ? 1 : 0,
      DROPOUT: a.dropout > 0 ? 1 : 0,
      WIDTH: a.width,
      ROWS: perThread,
      THREADS: threads,
    },
    params: attentionParams(a),
    bind,
    grid: [Math.ceil(length / (threads * perThread)), a.heads, a.batch],
    flops: perScore * a.batch * a.heads * a.queries * a.keys * a.width * (a.causal ? 0.5 : 1),
  };
}
