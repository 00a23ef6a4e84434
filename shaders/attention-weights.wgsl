// The probabilities of attention themselves, for people to look at: p[b, h, i, j] = softmax over j < lens[b] of scale q_i · k_j, 0 for the
// other j. A thread a query and head, twice over the keys: what the fused kernels never write is the very thing asked for here.
// include lib/index.wgsl

struct Params {
  batch: u32,
  heads: u32,
  queries: u32,
  keys: u32,
  width: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read> q: array<f32>;
@group(0) @binding(1) var<storage, read> kv: array<f32>;
@group(0) @binding(2) var<storage, read> lens: array<u32>;
@group(0) @binding(3) var<storage, read_write> p: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

const THREADS: u32 = 64u;

@compute @workgroup_size(THREADS)
fn attention_weights(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = group_index(group, groups) * THREADS + thread;
  let b = row / params.queries / params.heads;
  if (b >= params.batch) {
    return;
  }
  let h = row / params.queries % params.heads;
  let inner = params.heads * params.width;
  let query = (b * params.queries + row % params.queries) * inner + h * params.width;
  let seen = min(lens[b], params.keys);
  // Stands for minus infinity.
  var top = -1e30;
  for (var j = 0u; j < seen; j++) {
    let key = (b * params.keys + j) * 2u * inner + h * params.width;
    var dot = 0.0;
    for (var w = 0u; w < params.width; w++) {
      dot += q[query + w] * kv[key + w];
    }
    p[row * params.keys + j] = params.scale * dot;
    top = max(top, params.scale * dot);
  }
  var total = 0.0;
  for (var j = 0u; j < seen; j++) {
    total += exp(p[row * params.keys + j] - top);
  }
  for (var j = 0u; j < params.keys; j++) {
    p[row * params.keys + j] = select(0.0, exp(p[row * params.keys + j] - top) / total, j < seen);
  }
}
