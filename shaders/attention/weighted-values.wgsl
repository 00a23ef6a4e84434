// Attention with given weights: out[b, i, h] = sum_j p[b, h, i, j]·v[b, j, h]. A thread computes one number; the kernel
// runs only in inspections.
// include shared/kernel.wgsl

struct Params {
  count: u32, // numbers of out
  queries: u32,
  keys: u32,
  heads: u32,
  width: u32, // of a head
  kv_stride: u32,
  v_column: u32,
}

@group(0) @binding(0) var<storage, read> p: array<f32>;
@group(0) @binding(1) var<storage, read> kv: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn weighted_values(thread: Thread) {
  let i = group_index(thread) * 64u + thread.index;
  if (i >= params.count) {
    return;
  }
  let columns = params.heads * params.width;
  let column = i % columns;
  let query = i / columns % params.queries;
  let b = i / columns / params.queries;
  var p_at = ((b * params.heads + column / params.width) * params.queries + query) * params.keys;
  var v_at = b * params.keys * params.kv_stride + params.v_column + column;
  var sum = 0.0;
  for (var j = 0u; j < params.keys; j++) {
    sum += p[p_at] * kv[v_at];
    p_at += 1u;
    v_at += params.kv_stride;
  }
  out[i] = sum;
}
