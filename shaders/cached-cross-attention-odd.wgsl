// Cross-attention of the newest token of each row, q [R, HW], to the keys and values of its sentence, kv [B, S, 2HW], of which
// the first lens[b] count. The rows of a sentence, its beams, share them. For head widths that are not multiples of four: columns past a
// head's last count as zero.
// include lib/cached-attention.wgsl

@group(0) @binding(1) var<storage, read> q: array<f32>;
@group(0) @binding(2) var<storage, read> kv: array<f32>;
@group(0) @binding(3) var<storage, read> lens: array<u32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

// Chunk c, four columns, of the head that begins at element `at`.
fn load_q(at: u32, c: u32) -> vec4<f32> {
  let w = vec4(0u, 1u, 2u, 3u) + c * 4u;
  let i = at + min(w, vec4(WIDTH - 1u));
  return select(vec4(0.0), vec4(q[i.x], q[i.y], q[i.z], q[i.w]), w < vec4(WIDTH));
}
fn load_kv(at: u32, c: u32) -> vec4<f32> {
  let w = vec4(0u, 1u, 2u, 3u) + c * 4u;
  let i = at + min(w, vec4(WIDTH - 1u));
  return select(vec4(0.0), vec4(kv[i.x], kv[i.y], kv[i.z], kv[i.w]), w < vec4(WIDTH));
}
fn store_out(at: u32, c: u32, x: vec4<f32>) {
  for (var w = 4u * c; w < min(4u * c + 4u, WIDTH); w++) { out[at + w] = x[w % 4u]; }
}

fn key_row(row: u32, j: u32) -> u32 { return row / params.beams * params.keys + j; }

@compute @workgroup_size(THREADS)
fn cached_cross_attention(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let task = row_and_head(group, groups, thread);
  var length = 0u;
  if (task.x < params.rows) { length = min(lens[task.x / params.beams], params.keys); }
  attend(task.x, task.y, length, thread);
}
