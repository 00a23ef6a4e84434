// Scaled dot-product attention (Vaswani et al., 2017) of each head without a tensor of scores. Shared parts
// of its kernels:
//   out = dropout(p)·v,  p = softmax(scale·q·kᵀ) = 2^(s - lse·log2 e),  s = scale·log2 e·q·kᵀ
// Query i sees key j if j < lens[b] and, if causal, j <= i. Entry points of a kernel:
//   forward            out, and lse, the natural logarithm of the sum of exponentials
//   backward_queries   dq, and row_dots = rowsum(p∘dropout(dP)) with dP = dout·vᵀ
//   backward_keys      dk and dv, from lse and row_dots
// The variant `bias` is self-attention with a position bias: score(i, j) += bias[h, j - i + farthest].
// Distances beyond `farthest` use the ends (relative-position-bias.wgsl). It reads queries through kv, the
// same tensor in self-attention, since a kernel may bind only 8 storage buffers. The gradient of the bias,
// dbias[h, d + farthest], is the sum of dS over all rows, queries i and keys j with j - i = d (or beyond, at
// the ends), in a fixed order.
// include shared/kernel.wgsl
// include shared/random.wgsl
// include shared/chunks.wgsl

struct Params {
  batch: u32,
  queries: u32,
  keys: u32,
  heads: u32,
  q_stride: u32, // elements from one row of q to the next
  kv_stride: u32, // elements from one row of k and v to the next
  k_column: u32, // first column of k
  v_column: u32, // first column of v
  scale: f32,
  threshold: u32, // of dropout
  keep_scale: f32,
  site: u32,
  causal: u32,
  farthest: u32, // the position bias has 2·farthest + 1 distances
  slices: u32, // of 16 columns of a head
  share: u32, // SHARE or more, as a loop bound that compilers do not know
  padded: u32, // PADDED_CHUNKS
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: Step;
@group(0) @binding(2) var<storage, read> lens: array<u32>; // [B]
@group(0) @binding(3) var<storage, read> q: array<Vec>; // [B, Tq, q_stride]
@group(0) @binding(4) var<storage, read> kv: array<Vec>; // [B, Tk, kv_stride]
@group(0) @binding(5) var<storage, read_write> out: array<Vec>; // [B, Tq, H·W]
@group(0) @binding(6) var<storage, read_write> lse: array<f32>; // [B, H, Tq]
@group(0) @binding(7) var<storage, read> out_in: array<Vec>;
@group(0) @binding(8) var<storage, read> dout: array<Vec>;
@group(0) @binding(9) var<storage, read> lse_in: array<f32>;
@group(0) @binding(10) var<storage, read_write> dq: array<Vec>;
@group(0) @binding(11) var<storage, read_write> dkv: array<Vec>;
@group(0) @binding(12) var<storage, read_write> row_dots: array<f32>;
@group(0) @binding(13) var<storage, read> row_dots_in: array<f32>;
@if(bias) @group(0) @binding(14) var<storage, read> bias: array<f32>;
// The gradient of the bias, and partial sums of it.
@if(bias) @group(0) @binding(15) var<storage, read_write> dbias: array<f32>;
@if(bias) @group(0) @binding(16) var<storage, read_write> dbias_parts: array<f32>;
@if(bias) @group(0) @binding(17) var<storage, read> dbias_parts_in: array<f32>;

// Chunks are read in pairs; the last of an odd number is paired with zeros.
const PADDED_CHUNKS: u32 = (CHUNKS + 1u) / 2u * 2u;

override DROPOUT: bool = false;

// Chunks c and c + 1 of four rows: a column of each matrix is a row. Rows past `last` read row `last`.
struct Pair {
  lo: mat4x4<f32>,
  hi: mat4x4<f32>,
}

// Vector at which head h of a row starts.
fn q_at(b: u32, row: u32, h: u32) -> u32 { return ((b * params.queries + row) * params.q_stride + h * WIDTH) / VEC; }
fn kv_at(b: u32, row: u32, h: u32, column: u32) -> u32 {
  return ((b * params.keys + row) * params.kv_stride + column + h * WIDTH) / VEC;
}
fn k_at(b: u32, row: u32, h: u32) -> u32 { return kv_at(b, row, h, params.k_column); }
fn v_at(b: u32, row: u32, h: u32) -> u32 { return kv_at(b, row, h, params.v_column); }
fn out_at(b: u32, row: u32, h: u32) -> u32 { return ((b * params.queries + row) * params.heads + h) * (WIDTH / VEC); }
fn row_at(b: u32, row: u32, h: u32) -> u32 { return (b * params.heads + h) * params.queries + row; }

// Number of keys of row b of the batch.
fn length_of(b: u32) -> u32 { return min(lens[b], params.keys); }

// Number of keys that query i sees of `length`.
fn seen_by(i: u32, length: u32) -> u32 { return select(length, min(length, i + 1u), params.causal != 0u); }

// Dropout factors of four elements from `at` on, `stride` apart.
fn factors(key: u32, at: u32, stride: u32) -> vec4<f32> {
  return dropout_factors(key, at, stride, params.threshold, params.keep_scale);
}

fn four(i: u32) -> vec4<u32> { return vec4(i, i + 1u, i + 2u, i + 3u); }
fn max4(x: vec4<f32>) -> f32 { return max(max(x.x, x.y), max(x.z, x.w)); }
fn sum4(x: vec4<f32>) -> f32 { return (x.x + x.y) + (x.z + x.w); }

// s + q·m: adds the products of four columns to the scores of one query and four keys.
fn dots(s: vec4<f32>, q: vec4<f32>, m: mat4x4<f32>) -> vec4<f32> {
  return vec4(dot4(s.x, q, m[0]), dot4(s.y, q, m[1]), dot4(s.z, q, m[2]), dot4(s.w, q, m[3]));
}
fn dot4(s: f32, q: vec4<f32>, k: vec4<f32>) -> f32 {
  return fma(q.x, k.x, fma(q.y, k.y, fma(q.z, k.z, fma(q.w, k.w, s))));
}
// o + m·p: adds four columns of four rows, weighted by p.
fn blend(o: vec4<f32>, p: vec4<f32>, m: mat4x4<f32>) -> vec4<f32> {
  return fma(vec4(p.x), m[0], fma(vec4(p.y), m[1], fma(vec4(p.z), m[2], fma(vec4(p.w), m[3], o))));
}

// dS = p∘(dropout(dP) - row_dots) sums to 0 over the keys of a row. rowsum(dout∘out), which needs no walk over the keys, is
// rounded in another order than dP; if one key has nearly all weight, its dS is smaller than that error. So
// backward_queries adds up dS, and adds the sum to row_dots. Its own dq is scale·(dS·k - sum·k[peak]), where the peak
// is the key that has more than half of the weight, if there is one. `peak` is 1 + that key, or 0.
fn excess(b: u32, h: u32, sum: f32, peak: u32, c: u32) -> vec4<f32> {
  return select(vec4(0.0), sum * load_kv(k_at(b, max(peak, 1u) - 1u, h), c), peak > 0u);
}

@if(bias) fn load_query(at: u32, c: u32) -> vec4<f32> { return load_kv(at, c); }
@else fn load_query(at: u32, c: u32) -> vec4<f32> { return load_q(at, c); }

// s, scores of head h in units of log2, with the bias of queries i and keys j.
@if(bias) fn biased(s: vec4<f32>, h: u32, i: vec4<u32>, j: vec4<u32>) -> vec4<f32> {
  let far = vec4(i32(params.farthest));
  let at = vec4<u32>(clamp(vec4<i32>(j) - vec4<i32>(i), -far, far) + far) + h * (2u * params.farthest + 1u);
  return s + LOG2_E * vec4(bias[at.x], bias[at.y], bias[at.z], bias[at.w]);
}
@else fn biased(s: vec4<f32>, h: u32, i: vec4<u32>, j: vec4<u32>) -> vec4<f32> { return s; }

// Chunk c of the head of keys or values that starts at vector `at`.
@if(scalar) fn load_kv(at: u32, c: u32) -> vec4<f32> {
  let i = chunk_indices(at, c);
  return within_head(vec4(kv[i.x], kv[i.y], kv[i.z], kv[i.w]), c);
}
@else fn load_kv(at: u32, c: u32) -> vec4<f32> { return kv[at + c]; }

// Access to the tensors of the backward pass in chunks, as in shared/chunks.wgsl.
@if(scalar) fn load_out(at: u32, c: u32) -> vec4<f32> {
  let i = chunk_indices(at, c);
  return within_head(vec4(out_in[i.x], out_in[i.y], out_in[i.z], out_in[i.w]), c);
}
@else fn load_out(at: u32, c: u32) -> vec4<f32> { return out_in[at + c]; }
@if(scalar) fn load_dout(at: u32, c: u32) -> vec4<f32> {
  let i = chunk_indices(at, c);
  return within_head(vec4(dout[i.x], dout[i.y], dout[i.z], dout[i.w]), c);
}
@else fn load_dout(at: u32, c: u32) -> vec4<f32> { return dout[at + c]; }
@if(scalar) fn store_dq(at: u32, c: u32, x: vec4<f32>) {
  for (var k = 0u; k < chunk_size(c); k++) { dq[at + c * 4u + k] = x[k]; }
}
@else fn store_dq(at: u32, c: u32, x: vec4<f32>) { dq[at + c] = x; }
@if(scalar) fn store_dkv(at: u32, c: u32, x: vec4<f32>) {
  for (var k = 0u; k < chunk_size(c); k++) { dkv[at + c * 4u + k] = x[k]; }
}
@else fn store_dkv(at: u32, c: u32, x: vec4<f32>) { dkv[at + c] = x; }
