// Cross-attention of the newest token of each row, q [R, HW], to the keys and values of its sentence, kv [B, S, 2HW],
// of which it sees the first lens[b]. The beams of a sentence share them.
// include decoding/cached-attention.wgsl

@group(0) @binding(1) var<storage, read> q: array<Vec>;
@group(0) @binding(2) var<storage, read> kv: array<Vec>;
@group(0) @binding(3) var<storage, read> lens: array<u32>;
@group(0) @binding(4) var<storage, read_write> out: array<Vec>;

fn position_bias(h: u32, j: u32) -> f32 { return 0.0; }
fn key_row(row: u32, j: u32) -> u32 { return row / params.beams * params.keys + j; }

@compute @workgroup_size(THREADS)
fn cached_cross_attention(thread: Thread) {
  let task = row_and_head(thread);
  var length = 0u;
  if (task.x < params.rows) { length = min(lens[task.x / params.beams], params.keys); }
  attend(task.x, task.y, length, thread.index);
}
