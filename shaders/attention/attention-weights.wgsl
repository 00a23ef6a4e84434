// Attention probabilities p [B, H, Tq, Tk], for alignments and heat maps: row (b, h, i) is
// softmax_j(scale·q_i·k_j + bias) over the keys j < lens[b], of a causal mask those up to i, and 0 for all
// others; or, with `scores`, the scaled scores of the keys j < lens[b] without causal mask and softmax. One
// thread per row, which stores its scores in p until their sum is known. Keys are not staged in workgroup
// memory: the kernel runs only on request.
// include shared/kernel.wgsl
// include shared/vec.wgsl

struct Params {
  rows: u32,
  queries: u32,
  keys: u32,
  heads: u32,
  scale: f32,
  q_stride: u32,
  kv_stride: u32,
  k_column: u32,
  causal: u32,
  scores: u32,
  biased: u32,
  farthest: u32, // the position bias has 2·farthest + 1 distances
}

const WIDTH: u32 = 32u; // of a head
const VECS: u32 = WIDTH / VEC;

@group(0) @binding(0) var<storage, read> q: array<Vec>;
@group(0) @binding(1) var<storage, read> kv: array<Vec>;
@group(0) @binding(2) var<storage, read> lens: array<u32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>; // not read unless `biased`
@group(0) @binding(4) var<storage, read_write> p: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

// The position bias of head h for query i and key j.
fn bias_at(h: u32, i: u32, j: u32) -> f32 {
  let far = i32(params.farthest);
  return bias[i32(h) * (2 * far + 1) + far + clamp(i32(j) - i32(i), -far, far)];
}

@compute @workgroup_size(64)
fn attention_weights(thread: Thread) {
  let row = group_index(thread) * 64u + thread.index;
  if (row >= params.rows) {
    return;
  }
  let i = row % params.queries;
  let h = row / params.queries % params.heads;
  let b = row / (params.queries * params.heads);
  let q_at = ((b * params.queries + i) * params.q_stride + h * WIDTH) / VEC;
  var k_at = (b * params.keys * params.kv_stride + params.k_column + h * WIDTH) / VEC;
  let unmasked = min(lens[b], params.keys);
  let seen = select(unmasked, min(unmasked, i + 1u), params.causal == 1u && params.scores == 0u);
  var q_row: array<Vec, VECS>;
  // unroll up to 32
  for (var c = 0u; c < VECS; c++) { q_row[c] = q[q_at + c]; }
  var top = MASKED;
  for (var j = 0u; j < seen; j++) {
    var products = Vec(0.0);
    // unroll up to 32
    for (var c = 0u; c < VECS; c++) { products += q_row[c] * kv[k_at + c]; }
    k_at += params.kv_stride / VEC;
    var s = vec_sum(products) * params.scale;
    if (params.biased == 1u) { s += bias_at(h, i, j); }
    p[row * params.keys + j] = s;
    top = max(top, s);
  }
  if (params.scores == 1u) {
    for (var j = seen; j < params.keys; j++) {
      p[row * params.keys + j] = 0.0;
    }
    return;
  }
  var total = 0.0;
  for (var j = 0u; j < seen; j++) {
    let e = exp(p[row * params.keys + j] - top);
    p[row * params.keys + j] = e;
    total += e;
  }
  for (var j = 0u; j < params.keys; j++) {
    p[row * params.keys + j] = select(0.0, p[row * params.keys + j] / total, j < seen);
  }
}
