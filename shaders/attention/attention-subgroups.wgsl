// Attention in registers with subgroup broadcasts, for devices on which reads are slow:
//   out = dropout(softmax(scale·q·kᵀ))·v, and its gradients; a thread per ROWS queries (or keys)
// LANES neighbouring threads each read one chunk of one of four rows and broadcast it. LANES is 4 or 8 and at most the
// minimum subgroup size; a workgroup is LANES threads, the first lanes of its subgroup.
enable subgroups;
// include attention/attention-base.wgsl
// include shared/chunks-vec4.wgsl | scalar: shared/chunks-scalar.wgsl | bias_scalar: shared/chunks-scalar.wgsl
// include attention/attention-chunks-vec4.wgsl | scalar: attention/attention-chunks-scalar.wgsl | bias_scalar: attention/attention-chunks-scalar.wgsl
// include attention/attention-no-bias.wgsl | bias: attention/attention-bias.wgsl | bias_scalar: attention/attention-bias.wgsl
// include attention/attention-rows.wgsl
// include attention/attention-rows-backward.wgsl

const LANES: u32 = 4u;
var<private> lane: u32;

// The row that this thread reads, and its one of the chunks c and c + 1.
fn own_row(start: u32, stride: u32, row: u32, last: u32) -> u32 { return start + min(row + (lane & 3u), last) * stride; }
fn own_chunk(c: u32) -> u32 { return min(c + select(0u, (lane >> 2u) & 1u, LANES == 8u), CHUNKS - 1u); }

fn fetch_kv(start: u32, stride: u32, row: u32, last: u32, c: u32) -> Pair {
  let at = own_row(start, stride, row, last);
  let x = load_kv(at, own_chunk(c));
  if (LANES == 8u) { return Pair(broadcast(x), broadcast_high(x)); }
  return Pair(broadcast(x), broadcast(load_kv(at, min(c + 1u, CHUNKS - 1u))));
}
fn fetch_q(start: u32, stride: u32, row: u32, last: u32, c: u32) -> Pair {
  let at = own_row(start, stride, row, last);
  let x = load_query(at, own_chunk(c));
  if (LANES == 8u) { return Pair(broadcast(x), broadcast_high(x)); }
  return Pair(broadcast(x), broadcast(load_query(at, min(c + 1u, CHUNKS - 1u))));
}
fn fetch_dout(start: u32, stride: u32, row: u32, last: u32, c: u32) -> Pair {
  let at = own_row(start, stride, row, last);
  let x = load_dout(at, own_chunk(c));
  if (LANES == 8u) { return Pair(broadcast(x), broadcast_high(x)); }
  return Pair(broadcast(x), broadcast(load_dout(at, min(c + 1u, CHUNKS - 1u))));
}

fn broadcast(x: vec4<f32>) -> mat4x4<f32> {
  return mat4x4(subgroupBroadcast(x, 0u), subgroupBroadcast(x, 1u), subgroupBroadcast(x, 2u), subgroupBroadcast(x, 3u));
}
fn broadcast_high(x: vec4<f32>) -> mat4x4<f32> {
  return mat4x4(subgroupBroadcast(x, 4u), subgroupBroadcast(x, 5u), subgroupBroadcast(x, 6u), subgroupBroadcast(x, 7u));
}

@compute @workgroup_size(THREADS)
fn forward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_invocation_id) id: u32,
) {
  lane = id;
  forward_rows(group, thread);
}

@compute @workgroup_size(THREADS)
fn backward_queries(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_invocation_id) id: u32,
) {
  lane = id;
  backward_query_rows(group, thread);
}

@compute @workgroup_size(THREADS)
fn backward_keys(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_invocation_id) id: u32,
) {
  lane = id;
  backward_key_rows(group, thread);
}
