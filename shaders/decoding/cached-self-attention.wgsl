// Self-attention of the newest token of each row, out [R, HW], with the KV cache. q holds query, key and value of the
// token, [R, 3HW]. They attend to the keys and values of its ancestors and its own in the cache kv [R, T, 2HW]; its own
// are first written to row (r, step.position). slots[r, j] is the row of the key at position j, counted from the first
// row of the sentence (cache-slots.wgsl). BIAS: bias [H, 2·farthest + 1] (relative-position-bias.wgsl) is added to the
// scores.
// include decoding/cached-attention.wgsl
// include shared/step-scalars.wgsl

@group(0) @binding(1) var<storage, read> q: array<Vec>;
@group(0) @binding(2) var<storage, read_write> kv: array<Vec>;
@group(0) @binding(3) var<storage, read> slots: array<u32>;
@group(0) @binding(4) var<storage, read_write> out: array<Vec>;
@group(0) @binding(5) var<uniform> step: Step;
@group(0) @binding(6) var<storage, read> bias: array<f32>;

override BIAS: bool = false;

fn position_bias(h: u32, j: u32) -> f32 {
  if (!BIAS) { return 0.0; }
  return bias[h * (2u * params.farthest + 1u) + params.farthest - min(step.position - j, params.farthest)];
}
fn key_row(row: u32, j: u32) -> u32 {
  return row / params.beams * params.beams * params.keys + slots[row * params.keys + j];
}

@compute @workgroup_size(THREADS)
fn cached_self_attention(thread: Thread) {
  let task = row_and_head(thread);
  let exists = task.x < params.rows && step.position < params.keys;
  if (exists) {
    let inner = params.heads * WIDTH;
    let start = task.x * params.q_stride + inner + task.y * WIDTH;
    let to = (task.x * params.keys + step.position) * 2u * inner + task.y * WIDTH;
    for (var c = thread.index % ROW_GROUP; c < WIDTH / VEC; c += ROW_GROUP) {
      kv[to / VEC + c] = q[start / VEC + c];
      kv[(to + inner) / VEC + c] = q[(start + inner) / VEC + c];
    }
  }
  if (ROW_GROUP > 1u) { storageBarrier(); }
  attend(task.x, task.y, select(0u, step.position + 1u, exists), thread.index);
}
