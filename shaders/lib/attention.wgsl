// Scaled dot-product attention, forward and backward, without a tensor of scores: what its kernels share. Query i sees key j where
// j < lens[b] and, if causal, j <= i. Probabilities are 2^(s - lse·log2 e), s being scores times scale·log2 e; dropout acts on them.
//   forward            out, and lse, the natural logarithm of the sum of exponentials
//   backward_queries   dq, and row_dots = rowsum(dout∘out)
//   backward_keys      dk and dv, from lse and row_dots
// include lib/random.wgsl
// include lib/step.wgsl

struct Params {
  queries: u32,
  keys: u32,
  heads: u32,
  // Elements from row to row of q and of k, v; the columns where k and v begin.
  q_stride: u32,
  kv_stride: u32,
  k_column: u32,
  v_column: u32,
  scale: f32,
  // Dropout's.
  threshold: u32,
  keep_scale: f32,
  site: u32,
  causal: u32,
  // PADDED once more: a bound that drivers do not know, and so do not unroll where we do not.
  padded: u32,
}

// Columns of a head, and the vec4s they fill.
const WIDTH: u32 = 32u;
const CHUNKS: u32 = (WIDTH + 3u) / 4u;
// Chunks are read in pairs; an odd one is paired with zeros.
const PADDED: u32 = (CHUNKS + 1u) / 2u * 2u;
const LOG2_E: f32 = 1.4426950408889634;
const LN_2: f32 = 0.6931471805599453;
// Stands for minus infinity.
const MASKED: f32 = -1e30;

override DROPOUT: bool = false;

// Chunks c and c + 1 of four rows: a column of each matrix is a row. What lies past row `last` is read as that row again.
struct Pair {
  lo: mat4x4<f32>,
  hi: mat4x4<f32>,
}

// Where the head h of row `row` begins, in elements.
fn q_at(b: u32, row: u32, h: u32) -> u32 { return (b * params.queries + row) * params.q_stride + h * WIDTH; }
fn k_at(b: u32, row: u32, h: u32) -> u32 { return (b * params.keys + row) * params.kv_stride + params.k_column + h * WIDTH; }
fn v_at(b: u32, row: u32, h: u32) -> u32 { return (b * params.keys + row) * params.kv_stride + params.v_column + h * WIDTH; }
fn out_at(b: u32, row: u32, h: u32) -> u32 { return ((b * params.queries + row) * params.heads + h) * WIDTH; }
fn row_at(b: u32, row: u32, h: u32) -> u32 { return (b * params.heads + h) * params.queries + row; }

// Keys that count in row b of the batch.
fn length_of(b: u32) -> u32 { return min(lens[b], params.keys); }

// Keys that query i sees of `length`.
fn seen_by(i: u32, length: u32) -> u32 { return select(length, min(length, i + 1u), params.causal != 0u); }

// Dropout factors of the four elements from `at` on, `stride` apart.
fn factors(key: u32, at: u32, stride: u32) -> vec4<f32> {
  return vec4(
    dropout_factor(key, at, params.threshold, params.keep_scale),
    dropout_factor(key, at + stride, params.threshold, params.keep_scale),
    dropout_factor(key, at + 2u * stride, params.threshold, params.keep_scale),
    dropout_factor(key, at + 3u * stride, params.threshold, params.keep_scale),
  );
}

fn four(i: u32) -> vec4<u32> { return vec4(i, i + 1u, i + 2u, i + 3u); }
fn max4(x: vec4<f32>) -> f32 { return max(max(x.x, x.y), max(x.z, x.w)); }
fn sum4(x: vec4<f32>) -> f32 { return (x.x + x.y) + (x.z + x.w); }

// s + q·m: what four columns add to the scores against four rows.
fn dots(s: vec4<f32>, q: vec4<f32>, m: mat4x4<f32>) -> vec4<f32> {
  return vec4(dot4(s.x, q, m[0]), dot4(s.y, q, m[1]), dot4(s.z, q, m[2]), dot4(s.w, q, m[3]));
}
fn dot4(s: f32, q: vec4<f32>, k: vec4<f32>) -> f32 {
  return fma(q.x, k.x, fma(q.y, k.y, fma(q.z, k.z, fma(q.w, k.w, s))));
}
// o + m·p: four columns of four rows, weighted.
fn blend(o: vec4<f32>, p: vec4<f32>, m: mat4x4<f32>) -> vec4<f32> {
  return fma(vec4(p.x), m[0], fma(vec4(p.y), m[1], fma(vec4(p.z), m[2], fma(vec4(p.w), m[3], o))));
}
