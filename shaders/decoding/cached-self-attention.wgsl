// Self-attention of the newest token of each row, out [R, HW], with the KV cache. q holds query, key and
// value of the token, [R, 3HW]. The query attends to the keys and values of the token and its ancestors in
// the cache kv [R, T, 2HW]. The key and value of the token are written to row (r, step.position) first.
// slots[r, j] is the row of the key at position j, counted from the first row of the sentence
// (cache-slots.wgsl). BIAS: bias [H, 2·farthest + 1] (relative-position-bias.wgsl) is added to the scores.
// include shared/kernel.wgsl
// include decoding/cached-attention.wgsl

@group(0) @binding(1) var<storage, read> q: array<Vec>;
@if(packed) @group(0) @binding(2) var<storage, read_write> kv: array<vec2<u32>>;
@else @group(0) @binding(2) var<storage, read_write> kv: array<Vec>;
@group(0) @binding(3) var<storage, read> slots: array<u32>;
@group(0) @binding(4) var<storage, read_write> out: array<Vec>;
@group(0) @binding(5) var<uniform> step: Step;
@group(0) @binding(6) var<storage, read> bias: array<f32>;

override BIAS: bool = false;

fn position_bias(h: u32, j: u32) -> f32 {
  if (!BIAS) { return 0.0; }
  return bias[h * (2u * params.farthest + 1u) + params.farthest - min(step.position - j, params.farthest)];
}
fn first_key(row: u32) -> u32 { return row / params.beams * params.beams * params.keys; }
fn slot_of(row: u32, j: u32) -> u32 { return slots[row * params.keys + j]; }

// A vector of q as kv stores it.
@if(packed) fn stored(v: vec4<f32>) -> vec2<u32> { return vec2(pack2x16float(v.xy), pack2x16float(v.zw)); }
@else fn stored(v: Vec) -> Vec { return v; }

// Stores the token's key and value of a head, every `count`-th vector from `begin` on.
fn store_own(row: u32, h: u32, begin: u32, count: u32) {
  let inner = params.heads * (WIDTH / VEC);
  let at = row * (params.q_stride / VEC) + inner + h * (WIDTH / VEC);
  let own = key_at(row * params.keys + step.position, h);
  for (var c = begin; c < WIDTH / VEC; c += count) {
    kv[own + c] = stored(q[at + c]);
    kv[own + inner + c] = stored(q[at + inner + c]);
  }
}

@compute @workgroup_size(ROW_THREADS)
fn cached_self_attention(thread: Thread) {
  let task = group_index(thread) * ROW_THREADS + thread.index;
  let row = task / params.heads;
  let h = task % params.heads;
  if (row < params.rows && step.position < params.keys) {
    store_own(row, h, 0u, 1u);
    attend_row(row, h, step.position + 1u);
  }
}

@compute @workgroup_size(CHUNKS * PARTS)
fn cached_self_attention_tiles(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let task = group.y * groups.x + group.x;
  let row = task / params.heads;
  let h = task % params.heads;
  if (row >= params.rows || step.position >= params.keys) { return; }
  store_own(row, h, thread, PARTS * CHUNKS);
  storageBarrier();
  attend_tiles(row, 1u, h, step.position + 1u, row * params.keys + step.position, thread);
}
