// Attention probabilities p [B, H, Tq, Tk], for alignments and heat maps: row (b, h, i) is softmax_j(scale·q_i·k_j)
// over the keys j < lens[b], and 0 for all others. One thread per row, which stores its scores in p until their sum is
// known. Computed on request, so not optimized.
// include shared/thread.wgsl
// include shared/constants.wgsl

struct Params {
  rows: u32,
  queries: u32,
  keys: u32,
  heads: u32,
  width: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read> q: array<f32>;
@group(0) @binding(1) var<storage, read> kv: array<f32>;
@group(0) @binding(2) var<storage, read> lens: array<u32>;
@group(0) @binding(3) var<storage, read_write> p: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn attention_weights(thread: Thread) {
  let row = group_index(thread) * 64u + thread.index;
  if (row >= params.rows) {
    return;
  }
  let i = row % params.queries;
  let h = row / params.queries % params.heads;
  let b = row / (params.queries * params.heads);
  let inner = params.heads * params.width;
  let q_from = (b * params.queries + i) * inner + h * params.width;
  let seen = min(lens[b], params.keys);
  var top = MASKED;
  for (var j = 0u; j < seen; j++) {
    let k_from = (b * params.keys + j) * 2u * inner + h * params.width;
    var s = 0.0;
    for (var w = 0u; w < params.width; w++) {
      s += q[q_from + w] * kv[k_from + w];
    }
    p[row * params.keys + j] = s * params.scale;
    top = max(top, s * params.scale);
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
