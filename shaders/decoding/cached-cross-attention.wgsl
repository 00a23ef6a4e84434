// Cross-attention of the newest token of each row, q [R, HW], to the keys and values of its sentence, kv [B,
// S, 2HW], of which it sees the first lens[b]. The beams of a sentence share them.
// include shared/kernel.wgsl
// include decoding/cached-attention.wgsl

@group(0) @binding(1) var<storage, read> q: array<Vec>;
@if(packed) @group(0) @binding(2) var<storage, read> kv: array<vec2<u32>>;
@else @group(0) @binding(2) var<storage, read> kv: array<Vec>;
@group(0) @binding(3) var<storage, read> lens: array<u32>;
@group(0) @binding(4) var<storage, read_write> out: array<Vec>;

fn position_bias(h: u32, j: u32) -> f32 { return 0.0; }
fn first_key(row: u32) -> u32 { return row / params.beams * params.keys; }
fn slot_of(row: u32, j: u32) -> u32 { return j; }
fn length_of(row: u32) -> u32 { return min(lens[row / params.beams], params.keys); }

@compute @workgroup_size(ROW_THREADS)
fn cached_cross_attention(thread: Thread) {
  let task = group_index(thread) * ROW_THREADS + thread.index;
  let row = task / params.heads;
  if (row < params.rows) { attend_row(row, task % params.heads, length_of(row)); }
}

@compute @workgroup_size(CHUNKS * PARTS)
fn cached_cross_attention_tiles(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let task = group.y * groups.x + group.x;
  let blocks = (params.beams + QUERIES - 1u) / QUERIES; // of the rows of a sentence
  let block = task / params.heads;
  let beam = block % blocks * QUERIES;
  let row = block / blocks * params.beams + beam;
  if (row >= params.rows) { return; }
  attend_tiles(row, min(QUERIES, params.beams - beam), task % params.heads, length_of(row), first_key(row), thread);
}
