// ONNX's operators Attention and RotaryEmbedding, expressed with the ops of heddle/engine. What is done here outside of
// the graph is layout ([B,T,H·W] to [B,H,T,W], keys after those of the past) and masks as numbers.

import { createCpuExecutor } from '../../src/engine/cpu/executor.ts';
import {
  add,
  Graph,
  joinColumns,
  matmul,
  multiply,
  rotaryEmbedding,
  softcap,
  softmax,
  takeColumns,
  type Value,
} from '../../src/engine/index.ts';

/** A tensor of a node. */
export interface OnnxArray {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

/** Attributes of a node. */
export type OnnxAttributes = Readonly<Record<string, number | undefined>>;

const array = (shape: readonly number[], data: ArrayLike<number>): OnnxArray => ({
  dtype: 'float32',
  shape,
  data: Array.from(data),
});
const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** [B,T,H·W] as [B,H,T,W]. */
function splitHeads({ shape, data }: OnnxArray, heads: number): OnnxArray {
  const [B, T, columns] = shape as [number, number, number];
  const W = columns / heads;
  const at = (i: number) => {
    const [b, h, t, w] = [
      Math.floor(i / (heads * T * W)),
      Math.floor(i / (T * W)) % heads,
      Math.floor(i / W) % T,
      i % W,
    ];
    return data[(b * T + t) * columns + h * W + w] as number;
  };
  return array(
    [B, heads, T, W],
    Array.from({ length: size(shape) }, (_, i) => at(i)),
  );
}

/** [B,H,T,W] as [B,T,H·W]. */
function joinHeads({ shape, data }: OnnxArray): OnnxArray {
  const [B, H, T, W] = shape as [number, number, number, number];
  const out = new Array<number>(data.length);
  for (let row = 0; row < B * H * T; row++) {
    const [b, h, t] = [Math.floor(row / (H * T)), Math.floor(row / T) % H, row % T];
    for (let w = 0; w < W; w++) out[(b * T + t) * H * W + h * W + w] = data[row * W + w] as number;
  }
  return array([B, T, H * W], out);
}

/** The tokens of the past [B,H,P,W] and new ones [B,H,T,W], head by head. */
function joinTokens(now: OnnxArray, before: OnnxArray | null | undefined): number[] {
  if (!before) return [...now.data];
  const width = now.shape[3] as number;
  const [old, added] = [before.shape[2] as number, now.shape[2] as number].map((n) => n * width) as [
    number,
    number,
  ];
  return Array.from({ length: before.data.length / old }, (_, head) => [
    ...before.data.slice(head * old, (head + 1) * old),
    ...now.data.slice(head * added, (head + 1) * added),
  ]).flat();
}

/** What hides a key: -Infinity would make rows that see nothing NaN. */
const hidden = -1e30;

/** The numbers added to the scores [B,H,Tq,Tk], and 1 for rows that see a key, else 0. */
function masks(
  [B, H, Tq, Tk]: readonly [number, number, number, number],
  { past, lens, mask, attributes: a }: MaskInputs,
): { bias: number[]; rows: number[] } {
  const bias = new Array<number>(B * H * Tq * Tk).fill(0);
  const rows = new Array<number>(B * H * Tq).fill(0);
  const left = a.left_window_size ?? -1;
  const right = a.right_window_size ?? -1;
  for (let row = 0; row < rows.length; row++) {
    const [b, h, i] = [Math.floor(row / (H * Tq)), Math.floor(row / Tq) % H, row % Tq];
    const at = i + (lens && past === 0 ? (lens[b] as number) - Tq : past);
    for (let j = 0; j < Tk; j++) {
      const given = mask ? maskAt(mask, [b, h, i, j]) : 0;
      const isHidden =
        (a.is_causal === 1 && j > at) ||
        (left >= 0 && at - j > left) ||
        (right >= 0 && j - at > right) ||
        (lens !== undefined && j >= (lens[b] as number)) ||
        given === Number.NEGATIVE_INFINITY;
      bias[row * Tk + j] = isHidden ? hidden : given;
      if (!isHidden) rows[row] = 1;
    }
  }
  return { bias, rows };
}

interface MaskInputs {
  readonly past: number;
  readonly lens?: readonly number[];
  readonly mask?: OnnxArray;
  readonly attributes: OnnxAttributes;
}

/** A number of a mask that is broadcast from the right; keys past its end are hidden. */
function maskAt({ dtype, shape, data }: OnnxArray, at: readonly number[]): number {
  if ((at[3] as number) >= (shape.at(-1) as number)) return Number.NEGATIVE_INFINITY;
  const own = at.slice(4 - shape.length);
  const index = shape.reduce((sum, n, axis) => sum * n + (n === 1 ? 0 : (own[axis] as number)), 0);
  const value = data[index] as number;
  return dtype === 'bool' ? (value ? 0 : Number.NEGATIVE_INFINITY) : value;
}

/** The outputs Y, present_key, present_value and qk_matmul_output of Attention. */
export function onnxAttention(
  [q0, k0, v0, mask, pastKey, pastValue, nonpad]: readonly (OnnxArray | null | undefined)[],
  a: OnnxAttributes,
): readonly OnnxArray[] {
  const is3d = q0?.shape.length === 3;
  const heads = (x: OnnxArray | null | undefined, count: number | undefined) =>
    is3d ? splitHeads(x as OnnxArray, count as number) : (x as OnnxArray);
  const [q, k, v] = [heads(q0, a.q_num_heads), heads(k0, a.kv_num_heads), heads(v0, a.kv_num_heads)];
  const [B, Hq, Tq, W] = q.shape as [number, number, number, number];
  const [H, added] = k.shape.slice(1) as [number, number];
  const [past, V] = [pastKey?.shape[2] ?? 0, v.shape[3] as number];
  const Tk = past + added;

  const g = new Graph();
  const inputs: Record<string, Float64Array> = {};
  const input = (name: string, shape: readonly number[], data: readonly number[]): Value => {
    inputs[name] = Float64Array.from(data);
    return g.input(name, 'f32', [...shape]);
  };
  /** Keys or values of the past and then new ones: the tokens of a head are a row of numbers. */
  const present = (name: string, now: OnnxArray, before: OnnxArray | null | undefined, width: number) => {
    const all = joinTokens(now, before);
    if (before) {
      const rows = (x: OnnxArray, tokens: number, of: string) => input(of, [B * H, tokens * width], x.data);
      g.output(
        `present ${name}`,
        joinColumns(g, rows(before, past, `past ${name}`), rows(now, added, `new ${name}`)),
      );
    }
    return input(name, [B, H, Tk, width], all);
  };
  const keys = present('key', k, pastKey, W);
  const values = present('value', v, pastValue, V);
  const { bias, rows } = masks([B, Hq, Tq, Tk], {
    past,
    lens: nonpad?.data,
    mask: mask ?? undefined,
    attributes: a,
  });
  // The heads of the queries that share a head of keys are its rows.
  const R = (Hq / H) * Tq;
  const scaled = takeColumns(g, input('q', [B, H, R, W], q.data), {
    first: 0,
    count: W,
    scale: a.scale ?? 1 / Math.sqrt(W),
  });
  const scores = matmul(g, scaled, keys, { transB: true, batched: true });
  const capped = a.softcap ? softcap(g, scores, a.softcap) : scores;
  const masked = add(g, capped, input('mask', [B, H, R, Tk], bias));
  // Rows that see no key are 0.
  const seen = rows.flatMap((row) => new Array<number>(Tk).fill(row));
  const weights = multiply(g, softmax(g, masked), input('rows', [B, H, R, Tk], seen));
  const mode = [scores, capped, masked, weights][a.qk_matmul_output_mode ?? 0] as Value;
  g.output('y', matmul(g, weights, values, { batched: true }));
  g.output('qk', mode);
  const out = createCpuExecutor(g).run(inputs);
  const of = (name: string, shape: readonly number[]) =>
    array(shape, out[name] ?? (inputs[name.replace('present ', '')] as ArrayLike<number>));
  const y = of('y', [B, Hq, Tq, V]);
  return [
    is3d ? joinHeads(y) : y,
    of('present key', [B, H, Tk, W]),
    of('present value', [B, H, Tk, V]),
    of('qk', [B, Hq, Tq, Tk]),
  ];
}

/** The output of RotaryEmbedding. */
export function onnxRotaryEmbedding(
  [x0, cos, sin, ids]: readonly (OnnxArray | null | undefined)[],
  a: OnnxAttributes,
): OnnxArray {
  const is3d = x0?.shape.length === 3;
  const x = is3d ? splitHeads(x0 as OnnxArray, a.num_heads as number) : (x0 as OnnxArray);
  const [B, H, T, W] = x.shape as [number, number, number, number];
  const turned = a.rotary_embedding_dim || W;
  const half = turned / 2;
  /** The angles of each row [B,H,T]: by position ids, or as they are given. */
  const angles = (cache: OnnxArray) =>
    Array.from({ length: B * H * T * half }, (_, i) => {
      const [b, t] = [Math.floor(i / (H * T * half)), Math.floor(i / half) % T];
      const row = ids ? (ids.data[b * T + t] as number) : b * T + t;
      return cache.data[row * half + (i % half)] as number;
    });
  /** Column of the graph's input for each column: interleaved pairs become halves. */
  const order = Array.from({ length: W }, (_, c) => {
    if (!a.interleaved || c >= turned) return c;
    return c < half ? 2 * c : 2 * (c - half) + 1;
  });
  const rows = B * H * T;
  const g = new Graph();
  const value = g.input('x', 'f32', [rows, W]);
  const [c, s] = [g.input('cos', 'f32', [rows, half]), g.input('sin', 'f32', [rows, half])];
  const first = rotaryEmbedding(g, takeColumns(g, value, { first: 0, count: turned, scale: 1 }), c, s);
  const rest = W > turned && takeColumns(g, value, { first: turned, count: W - turned, scale: 1 });
  g.output('y', rest ? joinColumns(g, first, rest) : first);
  const found = createCpuExecutor(g).run({
    x: Float64Array.from(
      { length: rows * W },
      (_, i) => x.data[i - (i % W) + (order[i % W] as number)] as number,
    ),
    cos: Float64Array.from(angles(cos as OnnxArray)),
    sin: Float64Array.from(angles(sin as OnnxArray)),
  }).y as Float64Array;
  const out = new Array<number>(rows * W);
  for (const [i, y] of found.entries()) out[i - (i % W) + (order[i % W] as number)] = y;
  const all = array([B, H, T, W], out);
  return is3d ? joinHeads(all) : all;
}
