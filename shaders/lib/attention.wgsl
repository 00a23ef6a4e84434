// What the attention kernels share: sizes, masks, dropout. Query i sees key j where j < lens[b] and, if causal, j <= i.
// Probabilities are 2^(s - lse·log2 e), s being scores times scale·log2 e.

struct Params {
  queries: u32,
  keys: u32,
  heads: u32,
  q_stride: u32,
  kv_stride: u32,
  k_column: u32,
  v_column: u32,
  scale: f32,
  threshold: u32,
  keep_scale: f32,
  site: u32,
}

// Columns of a head, and the vec4s they fill.
const WIDTH: u32 = 32u;
const CHUNKS: u32 = (WIDTH + 3u) / 4u;
const LOG2_E: f32 = 1.4426950408889634;
const LN_2: f32 = 0.6931471805599453;
// Stands for minus infinity.
const MASKED: f32 = -1e30;

override CAUSAL: bool = false;
override DROPOUT: bool = false;
override FROM_STEP: bool = false;

// Where row `row` of the batch and head begins, in elements.
fn q_at(b: u32, row: u32, h: u32) -> u32 { return (b * params.queries + row) * params.q_stride + h * WIDTH; }
fn k_at(b: u32, row: u32, h: u32) -> u32 { return (b * params.keys + row) * params.kv_stride + params.k_column + h * WIDTH; }
fn v_at(b: u32, row: u32, h: u32) -> u32 { return (b * params.keys + row) * params.kv_stride + params.v_column + h * WIDTH; }
fn out_at(b: u32, row: u32, h: u32) -> u32 { return ((b * params.queries + row) * params.heads + h) * WIDTH; }
fn row_at(b: u32, row: u32, h: u32) -> u32 { return (b * params.heads + h) * params.queries + row; }

// Keys that a query which sees `seen` keys may look at, among the four from j on.
fn seen4(j: u32, seen: u32) -> vec4<bool> { return vec4(j, j + 1u, j + 2u, j + 3u) < vec4(seen); }

// Dropout factors of the four elements from `at` on, `stride` apart.
fn factors(key: u32, at: u32, stride: u32) -> vec4<f32> {
  return vec4(
    dropout_factor(key, at, params.threshold, params.keep_scale),
    dropout_factor(key, at + stride, params.threshold, params.keep_scale),
    dropout_factor(key, at + 2u * stride, params.threshold, params.keep_scale),
    dropout_factor(key, at + 3u * stride, params.threshold, params.keep_scale),
  );
}

fn max4(x: vec4<f32>) -> f32 { return max(max(x.x, x.y), max(x.z, x.w)); }
fn sum4(x: vec4<f32>) -> f32 { return (x.x + x.y) + (x.z + x.w); }
