// Self-attention of the newest token of each row, qkv [R, 3HW], to what its ancestors left in the cache [R, T, 2HW], its own keys and
// values included, which go into row (r, step.position). slots[r, j] is the row of the cache, counted within the sentence, of the
// key at position j; see cache-slots.wgsl.
// include lib/cached-attention.wgsl
// include lib/step.wgsl

@group(0) @binding(1) var<storage, read> qkv: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> cache: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> slots: array<u32>;
@group(0) @binding(5) var<uniform> step: Step;
@group(0) @binding(4) var<storage, read_write> out: array<vec4<f32>>;

// Chunk c, four columns, of the head that begins at element `at`.
fn load_q(at: u32, c: u32) -> vec4<f32> { return qkv[at / 4u + c]; }
fn load_kv(at: u32, c: u32) -> vec4<f32> { return cache[at / 4u + c]; }
fn store_out(at: u32, c: u32, x: vec4<f32>) { out[at / 4u + c] = x; }
fn store_kv(at: u32, c: u32, x: vec4<f32>) { cache[at / 4u + c] = x; }

fn key_row(row: u32, j: u32) -> u32 {
  return row / params.beams * params.beams * params.keys + slots[row * params.keys + j];
}

@compute @workgroup_size(THREADS)
fn cached_self_attention(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let task = row_and_head(group, groups, thread);
  let exists = task.x < params.rows && step.position < params.keys;
  if (exists) {
    let inner = params.heads * WIDTH;
    let start = task.x * params.q_stride + inner + task.y * WIDTH;
    let to = (task.x * params.keys + step.position) * 2u * inner + task.y * WIDTH;
    for (var c = thread % TEAM; c < CHUNKS; c += TEAM) {
      store_kv(to, c, load_q(start, c));
      store_kv(to + inner, c, load_q(start + inner, c));
    }
  }
  if (TEAM > 1u) { storageBarrier(); }
  attend(task.x, task.y, select(0u, step.position + 1u, exists), thread);
}
